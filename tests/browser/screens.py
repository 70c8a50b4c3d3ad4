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
GIVEN = {
    "kind": "health", "name": "beat-silent", "filename": "style.css", "page": "beat-silent", "number": "1",
}  # fmt: skip
# Ids that are not named as their table.
TABLES = {"mail_id": "delivery", "order_id": "purchase", "import_id": "intake", "file_id": "intake"}
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
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(OTHERS):
            continue
        name = re.sub(r"[^a-z0-9]+", "-", rule.rule.lower()).strip("-") or "home"
        for number, path in enumerate(_paths(runtime, rule, workspace)):
            if is_page(browser, path):
                found[path] = Screen(path, f"{name}{number or ''}")
    return list(found.values())


def is_page(browser: Browser, path: str) -> bool:
    answer = browser.get(path)
    return answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text[:200]


def _paths(runtime: Runtime, rule: Rule, workspace: str) -> list[str]:
    """The rule's addresses with ids of the first and the last row in this workspace; none where there is no row."""
    found = [rule.rule]
    for converter, argument in re.findall(r"<(?:([^:<>]+):)?([^<>]+)>", rule.rule):
        values = [GIVEN[argument]] if argument in GIVEN else _ids(runtime, argument, workspace)
        mark = f"<{converter}:{argument}>" if converter else f"<{argument}>"
        found = [path.replace(mark, value) for path in found for value in values]
    return found


def _ids(runtime: Runtime, argument: str, workspace: str) -> list[str]:
    name = TABLES.get(argument, argument.removesuffix("_id"))
    table: Table | None = Base.metadata.tables.get(name)
    if table is None or "id" not in table.c:
        return []
    asked = select(table.c.id)
    if "workspace_id" in table.c:
        asked = asked.where(table.c.workspace_id == workspace)
    with runtime.database.read(EVERYONE) as session:
        ends = [session.scalar(asked.order_by(order).limit(1)) for order in (table.c.id, table.c.id.desc())]
    return [str(each) for each in dict.fromkeys(ends) if each]


def complaints(page: Page) -> list[str]:
    """What is wrong with the page that is shown."""
    found: list[str] = page.evaluate(AUDIT)
    return found
