"""Fixtures for the web front: the real application on a real database, and browsers that behave."""

import re
import secrets
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models.session import EVERYONE, Database
from tasks.job import Job
from web import create_app
from web.signin import first_code
from workers.runtime import Runtime

if TYPE_CHECKING:
    from tests.conftest import Person

_compile_builder, _compile = Rule._compile_builder, Rule.compile
_compiled: dict[Any, dict[str, Any]] = {}
OF_A_RULE = ("_parts", "_trace", "_converters", "_build", "_build_unknown", "arguments")


def _compiled_when_asked(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    build = cache(lambda: _compile_builder(rule, append_unknown))
    return lambda self, **values: build()(self, **values)


def _compiled_once(rule: Rule) -> None:
    """Werkzeug takes each route of each application apart and compiles functions for it: half the time of a page's
    test, which has an application of its own with the same routes."""
    key = (rule.rule, rule.subdomain, rule.host, rule.merge_slashes, repr(rule.defaults))
    if key not in _compiled:
        _compile(rule)
        _compiled[key] = {name: getattr(rule, name) for name in OF_A_RULE}
    vars(rule).update(_compiled[key])


Rule._compile_builder = _compiled_when_asked  # type: ignore[assignment]
Rule.compile = _compiled_once  # type: ignore[assignment, method-assign]
PASSWORD = "a lamp beside the window"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """Flask's test client, which posts with the CSRF token of its session, as the forms on its pages do."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **more)  # a file that is served is closed

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, **more)

    def token(self) -> str:
        """Made as Flask-WTF makes it: to fetch a page for each post was a quarter of the pages' tests."""
        with self.client.session_transaction() as session:
            raw = session.setdefault("csrf_token", secrets.token_hex(20))
        return str(URLSafeTimedSerializer(str(self.app.secret_key), salt="wtf-csrf-token").dumps(raw))

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/sign-in", {"email": email, "password": password})

    def signed_in(self) -> bool:
        return self.client.get("/account").status_code == 200


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """What templates were compiled into: each test has an application of its own, and would compile them again."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(runtime: Runtime, compiled_templates: BytecodeCache) -> Flask:
    """The application on the same database as `runtime`; nobody has an account yet."""
    made = create_app(runtime.settings)
    made.testing = True
    made.jinja_env.bytecode_cache = compiled_templates
    return made


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions["nightshift"].database
    return found


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(app)


@pytest.fixture
def admin(app: Flask) -> Browser:
    """Ada's browser: the first administrator, with a workspace of her own."""
    made = Browser(app)
    form = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "time_zone": "Europe/London"}
    answer = made.post("/welcome", {"code": first_code(app.extensions["nightshift"].settings), **form})
    assert answer.status_code == 302, answer.text
    return made


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """The only job there is: the registry reads tests/ instead of tasks/."""
    from tests.front import probe_job  # which needs this module's Browser

    with probe_job(monkeypatch) as job:
        yield job


@pytest.fixture
def ada_s(app: Flask, runtime: Runtime, ada: "Person") -> Browser:
    """The browser of the person `ada`, on the tables that `runtime` made."""
    from tests.front import browser_of

    return browser_of(app, runtime, ada)


Invite = Callable[..., Browser]


@pytest.fixture
def invite(app: Flask, admin: Browser) -> Invite:
    """`invite("grace", "viewer")`: the browser of a person who joined Ada's workspace and looks at it."""

    def invited(name: str, role: str = "member") -> Browser:
        link = invitation_link(admin, f"{name}@example.org", role)
        made = Browser(app)
        answer = made.post(link, {"name": name.title(), "password": PASSWORD, "time_zone": "UTC"})
        assert answer.status_code == 302, answer.text
        return made

    return invited


def invitation_link(inviter: Browser, email: str, role: str = "member") -> str:
    """The path of a new invitation's link, as the page shows it once."""
    page = inviter.post("/workspace/invitations", {"email": email, "role": role}).text
    found = re.search(r'value="http[^"]*(/invitation/[^"]+)"', page)
    assert found, page
    return found[1]


def rows(database: Database, table: type[Any]) -> list[Any]:
    """All rows of a table, whosever they are."""
    with database.read(EVERYONE) as session:
        return list(session.scalars(select(table)).all())
