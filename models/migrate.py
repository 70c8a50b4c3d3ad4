"""Bring a database up to this code's schema. Alembic is configured in pyproject.toml."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).resolve().parent.parent


def config(url: str) -> Config:
    """Alembic's configuration for one database."""
    chosen = Config(toml_file=str(ROOT / "pyproject.toml"))
    chosen.attributes["url"] = url
    return chosen


def upgrade(url: str, revision: str = "head") -> None:
    """Apply every migration that is missing."""
    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Go back to an older schema; "base" is the empty database."""
    command.downgrade(config(url), revision)


def head() -> str:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(config("")).get_current_head() or ""


def knows(revision: str) -> bool:
    """Whether a schema of this revision can be made, and brought up to date."""
    return revision in {each.revision for each in ScriptDirectory.from_config(config("")).walk_revisions()}
