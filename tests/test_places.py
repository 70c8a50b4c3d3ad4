"""A workspace's settings: its time zone, its currency, and what happens when stock falls below nothing."""

from typing import Any

import pytest

from models.account import Account
from models.session import Database
from models.workspace import SYSTEM, AuditEntry, Workspace
from tests.web_fixtures import Browser, Invite, rows

GOOD = {"time_zone": "Asia/Tokyo", "currency": "JPY", "negative_stock": "refuse"}


def own(database: Database) -> list[Workspace]:
    return [place for place in rows(database, Workspace) if place.id != SYSTEM]


def test_a_new_workspace_takes_its_owner_s_zone_and_the_zone_s_currency(admin: Browser, database: Database) -> None:
    assert [(place.time_zone, place.currency) for place in own(database)] == [("Europe/London", "GBP")]
    admin.post("/workspace/new", {"name": "Shop"})
    assert {(place.time_zone, place.currency) for place in own(database)} == {("Europe/London", "GBP")}
    assert [account.time_zone for account in rows(database, Account)] == ["Europe/London"]


def test_an_owner_sets_them_and_the_audit_log_says_so(admin: Browser, database: Database) -> None:
    assert admin.post("/workspace/settings", GOOD).status_code == 302
    (place,) = own(database)
    assert {name: getattr(place, name) for name in GOOD} == GOOD
    assert "workspace settings changed" in [entry.what for entry in rows(database, AuditEntry)]
    assert '<option value="JPY" selected>' in admin.get("/workspace").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Olympus"), ("currency", "ABC"), ("currency", ""), ("negative_stock", "sell")],
)
def test_what_does_not_exist_is_refused_beside_its_field(
    admin: Browser, database: Database, field: str, value: Any
) -> None:
    answer = admin.post("/workspace/settings", GOOD | {field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert own(database)[0].currency == "GBP"


def test_members_and_viewers_cannot(admin: Browser, invite: Invite, database: Database) -> None:
    for name, role in (("grace", "member"), ("vera", "viewer")):
        guest = invite(name, role)
        assert guest.post("/workspace/settings", GOOD).status_code == 403
        assert 'id="settings"' not in guest.get("/workspace").text
    assert all(place.currency != "JPY" for place in own(database))
