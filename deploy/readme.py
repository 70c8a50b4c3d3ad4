"""The parts of README.md that are made from the code: `make fix` writes them, a test compares them."""

import re
import sys
from typing import Any, Literal, get_args, get_origin

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from deploy.settings import ROOT, Settings
from models.run import END_STATES, MOVES
from tasks import discover

README = ROOT / "README.md"
WHO = {"people": "everybody", "administrators": "administrators", "machinery": "the machinery"}


def jobs() -> str:
    """A row for each job."""
    rows = ["| job | what it does | queue | by itself | who starts it |", "|---|---|---|---|---|"]
    for job in discover().values():
        when = f"`{job.schedule}`" if job.schedule else "—"
        rows.append(f"| **{job.title}** (`{job.kind}`) | {job.summary} | {job.queue} | {when} | {WHO[job.audience]} |")
    return "\n".join(rows)


def settings() -> str:
    """A row for each setting."""
    rows = ["| variable | default | what it sets |", "|---|---|---|"]
    for name, info in Settings.model_fields.items():
        said = f"{info.description}{_one_of(info)}"
        rows.append(f"| `{_variable(name, info)}` | {_default(name, info.default)} | {said} |")
    return "\n".join(rows)


def _variable(name: str, info: FieldInfo) -> str:
    if isinstance(info.validation_alias, AliasChoices):
        return str(info.validation_alias.choices[0])
    return f"NIGHTSHIFT_{name.upper()}"


def _one_of(info: FieldInfo) -> str:
    words = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
    return f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""


def _default(name: str, value: Any) -> str:
    if name == "var":
        return "`var`"
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    return f"`{shown}`" if shown not in ("", {}) else "—"


def states() -> str:
    """The life of a run as a diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> queued: submitted", "    [*] --> blocked: submitted"]
    lines += [f"    {before} --> {after}: {why}" for (before, after), why in MOVES.items()]
    lines += [f"    {state} --> [*]" for state in END_STATES]
    return "\n".join([*lines, "```"])


PARTS = {"jobs": jobs, "settings": settings, "states": states}


def rewritten(text: str) -> str:
    """The text with every part between its two marks made anew."""
    for name, make in PARTS.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        parts = marks.search(text)
        if parts is None:
            raise SystemExit(f"README.md has no part between <!-- {name} --> and <!-- /{name} -->")
        text = f"{text[: parts.end(1)]}{make()}\n{text[parts.start(2) :]}"
    return text


def main() -> int:
    """Write README.md anew."""
    README.write_text(rewritten(README.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
