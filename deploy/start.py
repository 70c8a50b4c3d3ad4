"""What a container is: `python -m deploy.start ROLE`. It checks the settings, then becomes that process.

Roles: setup makes secrets and a certificate, migrate brings the database up to date, demo brings samples (these end);
web, ecg, energy, work, mail (workers of these queues), mqtt, beat and flower go on.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy import check, commands
from deploy.healthy import ROLE
from deploy.settings import ROOT, Settings
from workers.queues import GROUPS

ONCE = {
    "setup": (sys.executable, "-m", "deploy.setup"),
    "migrate": (sys.executable, "-m", "deploy.migrate"),
    "demo": (sys.executable, "-m", "web", "demo"),
}
ROLES = (*ONCE, "web", *GROUPS, "mqtt", "beat", "flower")
FLOWER_PORT = 5555


def command(role: str, settings: Settings) -> tuple[Sequence[str], dict[str, str]]:
    """What a role runs, and what its environment has more."""
    if role in ONCE:
        return ONCE[role], {}
    if role == "flower":
        return commands.FLOWER, commands.flower_environment(settings, "0.0.0.0", FLOWER_PORT)  # noqa: S104
    if role in GROUPS:
        return commands.worker(role, settings), {}
    return {"web": commands.WEB, "mqtt": commands.MQTT, "beat": commands.BEAT}[role], {}


def problems(role: str, settings: Settings) -> Iterator[str]:
    """What containers need beyond what one machine needs; each a sentence that says what to do."""
    if role == "setup":
        return
    if not settings.database_url.get_secret_value():
        yield (
            "NIGHTSHIFT_DATABASE_URL is missing: containers share one database. Write "
            "postgresql://user:password@host/name, or a file nightshift_database_url in NIGHTSHIFT_SECRETS."
        )
    if role != "migrate" and not settings.broker_url.get_secret_value():
        yield (
            "NIGHTSHIFT_BROKER_URL is missing: containers share one broker. Write redis://:password@host:6379/0, "
            "or a file nightshift_broker_url in NIGHTSHIFT_SECRETS."
        )
    if role == "energy":
        yield from check.energy_problems(settings)
    if role == "mqtt" and not settings.mqtt_url.get_secret_value():
        yield "NIGHTSHIFT_MQTT_URL is missing: name the broker that meters send to, or do without this container."
    if role == "web" and settings.public_url.startswith("https://") and not settings.trusted_hops:
        yield (
            "NIGHTSHIFT_PUBLIC_URL begins with https:// and NIGHTSHIFT_TRUSTED_HOPS is 0: these contradict each other, "
            "as this front itself speaks http. Set NIGHTSHIFT_TRUSTED_HOPS to the number of proxies in front, mostly 1."
        )
    if settings.mail != "smtp" and settings.smtp_host:
        yield (
            f"NIGHTSHIFT_SMTP_HOST names a mail server and NIGHTSHIFT_MAIL is {settings.mail}: these contradict each "
            "other. Set NIGHTSHIFT_MAIL=smtp, or take NIGHTSHIFT_SMTP_HOST away."
        )


def main(arguments: Sequence[str]) -> None:
    """The entry point: ends with a sentence, or becomes the role's process."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        raise SystemExit(f"Say what this container is: one of {', '.join(ROLES)}.")
    role = arguments[0]
    os.umask(0o077)  # what any of the processes writes is its owner's alone
    os.chdir(ROOT)
    settings = check.read_settings()
    found = [*(check.problems(settings) if role != "setup" else ()), *problems(role, settings)]
    if found:
        raise SystemExit("\n".join(found))
    line, more = command(role, settings)
    _note(role, FLOWER_PORT if role == "flower" else settings.port)
    os.execve(line[0], list(line), {**os.environ, **more})  # noqa: S606  # our own command


def _note(role: str, port: int) -> None:
    """For the health check, which is a process of its own."""
    part = Path(tempfile.mkstemp(dir=ROLE.parent)[1])
    part.write_text(f"{role} {port}")
    part.rename(ROLE)


if __name__ == "__main__":
    main(sys.argv[1:])
