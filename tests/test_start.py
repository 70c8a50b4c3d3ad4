"""What a container is: its role, the settings that stop it with a sentence, its secrets, and whether it is well."""

import os
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from deploy import commands, healthy, setup, start
from deploy.settings import ROOT, Settings, read
from tests import certificates
from workers.queues import GROUPS

DATABASE, BROKER = "postgresql://nightshift:secret-word@nowhere/nightshift", "redis://:secret-word@nowhere:6379/0"
GOOD = {"NIGHTSHIFT_DATABASE_URL": DATABASE, "NIGHTSHIFT_BROKER_URL": BROKER}


def started(folder: Path, role: str, **given: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")}
    environment = {**kept, "NIGHTSHIFT_VAR": str(folder), "NIGHTSHIFT_ALIVE": str(folder / "alive"), **given}
    command = [sys.executable, "-m", "deploy.start", role]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("role", "given", "said"),
    [
        ("web", {"NIGHTSHIFT_LEASE_SECONDS": "soon"}, "NIGHTSHIFT_LEASE_SECONDS: "),
        ("ecg", {"NIGHTSHIFT_BROKER_URL": "kafka://x"}, "NIGHTSHIFT_BROKER_URL: "),
        ("beat", {"NIGHTSHIFT_DATABASE_URL": ""}, "NIGHTSHIFT_DATABASE_URL is missing: containers share one database."),
        ("mail", {"NIGHTSHIFT_BROKER_URL": ""}, "NIGHTSHIFT_BROKER_URL is missing: containers share one broker."),
        ("flower", {"NIGHTSHIFT_SECRETS": "/nowhere"}, "NIGHTSHIFT_SECRETS names no folder"),
        ("migrate", {"NIGHTSHIFT_DATABSE_URL": DATABASE}, "NIGHTSHIFT_DATABSE_URL is no setting of Nightshift."),
        ("mqtt", {}, "NIGHTSHIFT_MQTT_URL is missing: name the broker that meters send to"),
        ("web", {"NIGHTSHIFT_PUBLIC_URL": "https://night.example.org"}, "NIGHTSHIFT_TRUSTED_HOPS is 0: these"),
        ("ecg", {"NIGHTSHIFT_S3_ENDPOINT": "https://s3.example.org"}, "NIGHTSHIFT_FILES_URL no bucket: these"),
        ("work", {"NIGHTSHIFT_SMTP_HOST": "mail.example.org"}, "NIGHTSHIFT_MAIL is mailbox: these"),
        ("wbe", {}, "Say what this container is: one of setup, migrate, demo, web, ecg, energy, work, mail, mqtt"),
    ],
)  # fmt: skip
def test_a_wrong_missing_or_contradictory_setting_stops_each_process_with_one_sentence(
    tmp_path: Path, role: str, given: dict[str, str], said: str
) -> None:
    done = started(tmp_path, role, **{**GOOD, **given})
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "secret-word" not in done.stderr + done.stdout
    assert not (tmp_path / "alive.role").exists()


def test_every_role_has_a_command_and_every_queue_a_role() -> None:
    settings = Settings(var=Path("/tmp"))
    for role in start.ROLES:
        line, more = start.command(role, settings) if role != "flower" else (commands.FLOWER, {})
        assert Path(line[0]).exists(), role
        assert not any("secret" in word for word in line), more
    assert set(GROUPS) < set(start.ROLES)


def test_secrets_come_from_files_and_the_environment_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nightshift_database_url").write_text(DATABASE)
    (tmp_path / "nightshift_secret_key").write_text("of the file")
    monkeypatch.setenv("NIGHTSHIFT_SECRETS", str(tmp_path))
    monkeypatch.delenv("NIGHTSHIFT_DATABASE_URL", raising=False)
    monkeypatch.setenv("NIGHTSHIFT_SECRET_KEY", "of the environment")
    found = read()
    assert found.database == DATABASE.replace("postgresql", "postgresql+psycopg")
    assert found.secret("secret_key") == "of the environment"


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(setup, "ROOT", tmp_path / "secrets-of")
    monkeypatch.setattr(setup, "CERTIFICATES", tmp_path / "certificates")
    for name in ("DATABASE", "BROKER", "NAMES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_setup_makes_secrets_and_a_certificate_once_each_in_the_volume_of_who_reads_it(
    volumes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.main()
    made = files(volumes)
    password = made["secrets-of/postgres/password"].decode()
    assert len(password) == 48
    url = made["secrets-of/app/nightshift_database_url"].decode()
    assert url == f"postgresql://nightshift:{password}@postgres/nightshift"
    assert made["secrets-of/app/nightshift_metrics_token"] == made["secrets-of/monitoring/nightshift_metrics_token"]
    assert not {name for name in made if name.startswith(("secrets-of/redis/", "secrets-of/postgres/"))} - {
        "secrets-of/redis/password", "secrets-of/postgres/password",
    }  # fmt: skip
    assert {stat.S_IMODE(each.stat().st_mode) for each in volumes.rglob("*") if each.is_file()} == {0o444}
    setup.main()
    assert files(volumes) == made
    monkeypatch.setenv("DATABASE", "mariadb")
    monkeypatch.setenv("BROKER", "rabbitmq")
    setup.main()
    again = files(volumes)
    assert again["secrets-of/app/nightshift_database_url"].startswith(b"mariadb://nightshift:")
    assert again["secrets-of/app/nightshift_broker_url"].startswith(b"amqp://nightshift:")
    assert again["secrets-of/app/nightshift_secret_key"] == made["secrets-of/app/nightshift_secret_key"]
    monkeypatch.setenv("DATABASE", "oracle")
    with pytest.raises(SystemExit, match="DATABASE=oracle is not known here: choose one of postgres, mariadb"):
        setup.main()


def test_a_certificate_of_ours_is_renewed_before_its_end_and_for_other_names_and_yours_is_left_alone(
    volumes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.main()
    chain = volumes / "certificates" / "fullchain.pem"
    first = chain.read_bytes()
    found = x509.load_pem_x509_certificate(first)
    assert found.not_valid_after_utc - datetime.now(UTC) > timedelta(days=390)
    monkeypatch.setattr(setup, "RENEWED", 398)
    setup.main()
    second = chain.read_bytes()
    assert second != first
    monkeypatch.setattr(setup, "RENEWED", 30)
    monkeypatch.setenv("NAMES", "night.example.org,night")
    setup.main()
    held = x509.load_pem_x509_certificate(chain.read_bytes()).extensions
    names = held.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names == ["night.example.org", "night"]
    yours, _ = certificates.made(volumes)
    chain.chmod(0o644)
    chain.write_bytes(yours.read_bytes())
    setup.main()
    assert chain.read_bytes() == yours.read_bytes()
    assert capsys.readouterr().err == ""


def test_health_is_a_file_that_is_touched_and_its_silence_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healthy, "ALIVE", tmp_path / "alive")
    monkeypatch.setattr(healthy, "ROLE", tmp_path / "alive.role")
    assert healthy.problem() == "not started yet"
    (tmp_path / "alive.role").write_text("ecg 5001")
    assert healthy.problem() == "not ready yet"
    (tmp_path / "alive").touch()
    assert healthy.problem() == ""
    os.utime(tmp_path / "alive", (time.time() - 300, time.time() - 300))
    assert "has stood still for 300 s" in healthy.problem()
    (tmp_path / "alive.role").write_text("web 9")
    assert "no answer on port 9" in healthy.problem()
