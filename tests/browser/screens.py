"""Which pages there are: every GET rule of the front, with the ids of a person's own rows, those of tomorrow too."""

import re
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import Table, select
from werkzeug.routing import Rule

from models.base import Base
from models.session import EVERYONE
from tests.web_fixtures import Browser
from workers.runtime import Runtime

AUDIT = Path(__file__).with_name("audit.js").read_text("utf-8")
# Whose argument is no row's id, and what then stands there.
GIVEN = {"kind": "health", "name": "beat-silent", "filename": "style.css", "page": "beat-silent"}
TABLES = {"mail_id": "delivery", "order_id": "purchase", "import_id": "intake"}  # ids that are not named as their table
OTHERS = ("flower", "static")  # another program's pages, and files


@dataclass(frozen=True)
class Screen:
    """A page: its address, and a name for its picture."""

    path: str
    name: str


def screens(app: Flask, runtime: Runtime, browser: Browser, workspace: str) -> list[Screen]:
    """What answers this person with a page of HTML."""
    found: dict[str, Screen] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        path = _path(runtime, rule, workspace)
        if path is None or "GET" not in (rule.methods or ()) or rule.endpoint.startswith(OTHERS):
            continue
        answer = browser.get(path)
        if answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text[:200]:
            found[path] = Screen(path, re.sub(r"[^a-z0-9]+", "-", rule.rule.lower()).strip("-") or "home")
    return list(found.values())


def _path(runtime: Runtime, rule: Rule, workspace: str) -> str | None:
    """The rule's address with ids of rows in this workspace; None where there is no such row."""
    path = rule.rule
    for converter, argument in re.findall(r"<(?:([^:<>]+):)?([^<>]+)>", path):
        value = GIVEN.get(argument) or _id(runtime, argument, workspace)
        if value is None:
            return None
        path = path.replace(f"<{converter}:{argument}>" if converter else f"<{argument}>", value)
    return path


def _id(runtime: Runtime, argument: str, workspace: str) -> str | None:
    name = TABLES.get(argument, argument.removesuffix("_id"))
    table: Table | None = Base.metadata.tables.get(name)
    if table is None or "id" not in table.c:
        return None
    asked = select(table.c.id).order_by(table.c.id)
    if "workspace_id" in table.c:
        asked = asked.where(table.c.workspace_id == workspace)
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(asked.limit(1))


def complaints(page: Page) -> list[str]:
    """What is wrong with the page that is shown."""
    found: list[str] = page.evaluate(AUDIT)
    return found
