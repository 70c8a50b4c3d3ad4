"""What holds on every page: headers, nonces, cookies, CSRF, closed doors, plain words, links from PUBLIC_URL alone."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import update

from deploy.settings import ROOT, Settings
from models.account import Throttle
from models.delivery import Delivery
from models.session import EVERYONE, Database
from models.workspace import Workspace
from tests.web_fixtures import PASSWORD, Browser, Invite, invitation_link, rows
from web import create_app
from web.signin import local_path

PUBLIC = {
    "static", "bootstrap.static", "livez", "signin.welcome", "signin.sign_in", "signin.register", "recovery.forgot",
    "recovery.reset", "recovery.confirm", "invitations.accept", "health.readyz", "openapi.description",
    "metrics.metrics",  # which wants its own token
    "charts.plotly",  # the same file for all
    "unsubscribe.ask", "unsubscribe.act", "mailhooks.sendgrid",  # which want a signature
    *(f"ticket_page.{each}" for each in ("show", "answer", "solved", "download", "rating", "rate", "again")),  # so
    *(f"desk_page.{each}" for each in ("show", "article", "judge", "ask", "take")),  # where a lead opened the desk
    "care_chat.page", "care_chat.ask",
}  # fmt: skip
PAGES = (
    "/account", "/workspace", "/mailbox", "/admin", "/admin/audit", "/sign-in", "/forgot", "/nowhere", "/workspace/new",
    "/account/delete", "/workspace/delete", "/account/channels",
)  # fmt: skip


class Markup(HTMLParser):
    """Collects what a Content-Security-Policy is about."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.nonces: list[str | None] = []
        self.inline: list[str] = []
        self.sources: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "style"):
            self.nonces.append(given.get("nonce"))
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        self.sources += [given[name] or "" for name in ("src", "href", "action") if name in given]


def all_pages(admin: Browser, browser: Browser) -> list[tuple[str, str]]:
    answers = [(path, each.get(path)) for path in PAGES for each in (admin, browser)]
    return [(answer.headers["Content-Security-Policy"], answer.text) for _, answer in answers if answer.text]


def test_importing_the_front_loads_no_science() -> None:
    heavy = "numpy", "tensorflow", "cv2", "scipy", "matplotlib", "onnxruntime"
    ask = f"import sys, web; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_every_page_runs_scripts_with_its_own_nonce_alone(admin: Browser, browser: Browser) -> None:
    seen = set()
    for policy, page in all_pages(admin, browser):
        nonces = set(re.findall(r"'nonce-([\w-]{22})'", policy))
        assert len(nonces) == 1
        if "<script" in page:
            assert set(Markup(page).nonces) == nonces, page[:200]
        assert "default-src 'none'" in policy
        assert "'unsafe" not in policy
        seen |= nonces
    assert len(seen) == len(all_pages(admin, browser))


def test_no_page_has_inline_handlers_styles_or_anything_from_elsewhere(admin: Browser, browser: Browser) -> None:
    for _, page in all_pages(admin, browser):
        markup = Markup(page)
        assert markup.inline == []
        assert [source for source in markup.sources if re.match(r"(\w+:)?//|javascript:", source)] == []


def test_every_answer_has_the_security_headers(admin: Browser) -> None:
    for path in (*PAGES, "/static/style.css", "/livez"):
        headers = admin.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert "camera=()" in headers["Permissions-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path


def test_pages_are_not_kept_by_browsers_and_files_are(admin: Browser) -> None:
    assert admin.get("/account").headers["Cache-Control"] == "no-store"
    assert "max-age" in admin.get("/static/style.css").headers["Cache-Control"]
    other = admin.get("/static/style.css?v=another-release")
    assert (other.status_code, other.headers["Cache-Control"]) == (200, "no-store"), "not kept under a name of theirs"


def test_bootstrap_comes_from_here(admin: Browser) -> None:
    sources = [source for source in Markup(admin.get("/account").text).sources if "bootstrap" in source]
    assert len(sources) >= 2
    assert [admin.get(source).status_code for source in sources] == [200] * len(sources)


@pytest.mark.parametrize(("origin", "secure"), [("", False), ("https://night.example.org", True)])
def test_the_cookie_is_shut_away(browser: Browser, settings: Settings, origin: str, secure: bool) -> None:
    there = Browser(create_app(Settings.model_validate({"var": settings.var, "public_url": origin})))
    header = there.get("/welcome").headers["Set-Cookie"]
    assert header.startswith("nightshift=")
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert ("Secure" in header) is secure


def test_the_cookie_carries_the_token_and_the_secret_and_nothing_else(admin: Browser) -> None:
    admin.get("/account")
    with admin.client.session_transaction() as held:
        assert set(held) == {"csrf_token", "_user_id", "_permanent"}


def test_a_cookie_signed_by_another_key_is_nobodys(admin: Browser, browser: Browser) -> None:
    with admin.client.session_transaction() as held:
        forged = URLSafeTimedSerializer("another key", salt="cookie-session").dumps(dict(held))
    browser.client.set_cookie("nightshift", forged)
    assert not browser.signed_in()


def test_every_page_but_the_open_ones_wants_a_sign_in(app: Flask, admin: Browser, browser: Browser) -> None:
    closed = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC]
    assert len(closed) > 20
    token = browser.token()
    for rule in closed:
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
            answer = browser.client.open(path, method=method, data={"csrf_token": token})
            if not path.startswith(("/api/", "/emoncms/")):
                assert (answer.status_code, (answer.location or "")[:8]) == (302, "/sign-in"), (method, path)


def test_nothing_is_written_without_a_token(app: Flask, admin: Browser, database: Database) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.methods and "POST" in rule.methods]
    for rule in rules:
        if rule.endpoint.split(".")[0] not in ("api", "emoncms", "flower", "unsubscribe", "mailhooks"):
            answer = admin.client.post(re.sub(r"<[^>]+>", "1", rule.rule), data={"name": "Stolen"})
            assert answer.status_code == 400, rule
            assert "This page was open too long" in answer.text
    assert "Stolen" not in {row.name for row in rows(database, Workspace)}


def test_a_token_of_another_browser_is_refused(admin: Browser, browser: Browser) -> None:
    answer = admin.client.post("/workspace/new", data={"csrf_token": browser.token(), "name": "Stolen"})
    assert answer.status_code == 400


def test_another_sites_page_cannot_post_even_with_a_token(admin: Browser, database: Database) -> None:
    answer = admin.post("/workspace/new", {"name": "Stolen"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Stolen" not in {row.name for row in rows(database, Workspace)}


@pytest.mark.parametrize("page", ["/reset/x", "/confirm/x", "/invitation/x"])
def test_a_page_with_a_secret_in_its_address_hands_it_on_to_nobody(admin: Browser, browser: Browser, page: str) -> None:
    for answer in (browser.get(page), browser.get(invitation_link(admin, "grace@example.org"))):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Cache-Control"] == "no-store"


def test_links_are_built_from_the_public_url_and_never_from_the_host_header(
    admin: Browser, database: Database, settings: Settings
) -> None:
    admin.token()
    cookie, form = admin.client.get_cookie("nightshift"), {"email": "grace@example.org", "role": "member"}
    assert cookie is not None
    admin.client.set_cookie("nightshift", cookie.value, domain="evil.example.org")
    page = admin.post("/workspace/invitations", form, base_url="http://evil.example.org").text
    assert f'value="{settings.origin}/invitation/' in page
    assert "evil.example.org" not in page
    admin.post("/forgot", {"email": "ada@example.org"}, base_url="http://evil.example.org")
    assert not any("evil" in mail.text for mail in rows(database, Delivery))


@pytest.mark.parametrize(("hops", "status"), [(0, 429), (1, 422)])
def test_a_forwarded_address_counts_only_behind_a_named_proxy(
    admin: Browser, settings: Settings, database: Database, hops: int, status: int
) -> None:
    there = Browser(create_app(settings.model_copy(update={"trusted_hops": hops})))
    there.sign_in("eve@example.org")
    with database.write(EVERYONE) as writing:
        writing.execute(update(Throttle).values(count=50))
    form = {"email": "eve2@example.org", "password": PASSWORD}
    assert there.post("/sign-in", form, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == status


@pytest.mark.parametrize(
    "target", ["//evil.example.org", "/\\evil.example.org", "https://evil.example.org", "javascript:x", "", "/\n/evil"]
)
def test_signing_in_never_leads_elsewhere(app: Flask, target: str) -> None:
    with app.test_request_context():
        assert local_path(target) == "/home"
        assert local_path("/runs/7?tab=log") == "/runs/7?tab=log"


def test_an_upload_that_is_too_large_is_refused_in_plain_words(settings: Settings, admin: Browser) -> None:
    there = Browser(create_app(settings.model_copy(update={"max_upload_mb": 1})))
    there.sign_in("ada@example.org")
    answer = there.post("/workspace/new", {"name": "x" * 1_100_000})
    assert answer.status_code == 413
    assert "may have 1 MB" in answer.text


def test_a_missing_page_and_a_wrong_method_say_so(admin: Browser) -> None:
    assert "There is nothing here" in admin.get("/nowhere").text
    assert admin.get("/workspace/new").status_code == 405


def test_a_fault_of_ours_shows_no_traceback_and_logs_no_address(
    admin: Browser, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(secret: str) -> str:
        raise ZeroDivisionError("a secret of the machine")

    app = create_app(settings)
    app.add_url_rule("/broken/<secret>", view_func=broken)
    there = Browser(app)
    there.sign_in("ada@example.org")
    answer = there.get("/broken/key-4711?token=key-4711")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "secret of the machine" not in answer.text
    assert "Traceback" not in answer.text
    assert "a fault in broken" in caplog.text
    assert "key-4711" not in caplog.text


def test_a_name_is_text_and_never_markup(admin: Browser, invite: Invite) -> None:
    admin.post("/account/profile", {"name": "<script>alert(1)</script>", "time_zone": "UTC"})
    admin.post("/workspace/rename", {"name": "<img src=x onerror=alert(1)>"})
    for path in ("/account", "/workspace", "/admin"):
        page = admin.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "alert(1)" in page


def test_it_says_that_it_is_alive_without_asking_the_database(app: Flask) -> None:
    app.extensions["nightshift"].database.url = "sqlite:////nowhere/at/all.db"
    answer = app.test_client().get("/livez")
    assert (answer.status_code, answer.text) == (200, "alive\n")
