"""The tour through the front, as README tells it: each part of it is one line of the report."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from tests.stack.compose import Trouble
from tests.stack.report import Report
from tests.stack.visitor import TIMEOUT, Catcher, Front, Person, Program, key

# A page of each of the five systems, and what stands on it.
PAGES = {
    "/expenses": "Expenses", "/stock": "Stock", "/energy": "Meters", "/care": "Tickets", "/jobs/ecg": "Read an ECG",
    "/mailbox": "Mailbox", "/alerts": "Alerts", "/schedules": "Schedules", "/admin": "Administration",
}  # fmt: skip
NEEDED_HEADERS = (
    "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy",
)  # fmt: skip


@dataclass(frozen=True)
class Tour:
    """Who walks, and where."""

    front: Front
    person: Person
    program: Program
    catcher: Catcher | None  # None: mails land in the embedded mailbox alone
    report: Report

    def walk(self, parts: dict[str, Callable[["Tour"], object]]) -> None:
        """All parts, to the end even when one of them fails."""
        for what, part in parts.items():
            began = time.monotonic()
            try:
                said = part(self)
            except (Trouble, requests.RequestException) as error:
                self.report.holds(what, False, str(error)[:400])
            else:
                self.report.holds(what, True, f"{time.monotonic() - began:.1f} s{f', {said}' if said else ''}")


def an_ecg(tour: Tour) -> str:
    run = tour.program.succeeded(tour.person.sample("ecg"))
    page = tour.person.get(f"/runs/{run['id']}").text
    if "Not a medical device" not in page or not run["artifacts"]:
        raise Trouble("The reading has no page or no files")
    pdf = [each for each in run["artifacts"] if each["media_type"] == "application/pdf"]
    if not tour.program.content(pdf[0]["url"]).startswith(b"%PDF-"):
        raise Trouble("The reading's PDF is none")
    return str(run["headline"])


def an_import(tour: Tour) -> str:
    """A bank's file is previewed, then written; the entries are there."""
    run = tour.program.succeeded(tour.person.sample("importing"))
    newest = tour.program.get("/imports")["imports"][0]
    if newest["state"] == "preview" or not newest["applied_at"]:
        written = tour.program.post(f"/imports/{newest['id']}/apply", {})
        tour.program.succeeded(written["id"])
    entries = tour.program.get("/expenses/entries")["entries"]
    if not entries:
        raise Trouble(f"Nothing was written by the import that {run['id']} read")
    return f"{len(entries)} entries"


def a_forecast(tour: Tour) -> str:
    return str(tour.program.succeeded(tour.person.sample("energy"))["headline"])


def by_api(tour: Tour) -> str:
    """With a token work is taken, once for each key; without one nothing is told."""
    word = key()
    first, again = tour.program.start("budget", word), tour.program.start("budget", word)
    if first != again:
        raise Trouble("One Idempotency-Key became two runs")
    tour.program.succeeded(first)
    nobody = Program(tour.front, "nightshift_nobody")
    nobody.get("/runs", expect=401)
    return f"{len(tour.program.get('/jobs')['jobs'])} jobs"


def the_mail(tour: Tour) -> str:
    """The mail that the reading is done, with a link that leads back through nginx."""
    if tour.catcher is None:
        tour.person.get("/mailbox")
        return "embedded"
    newest = tour.program.get("/runs?kind=ecg")["runs"][0]["id"]
    mail = tour.catcher.about(newest)
    if f"{tour.front.url}/runs/{newest}" not in tour.catcher.text(mail):
        raise Trouble(f"The mail's link does not begin with {tour.front.url}")
    return f"to {mail['To'][0]['Address']}"


def all_five(tour: Tour) -> str:
    for path, words in PAGES.items():
        if words not in tour.person.get(path).text:
            raise Trouble(f"{path} does not say “{words}”")
    return f"{len(PAGES)} pages"


def flower(tour: Tour) -> None:
    """Administrators see it through the front's sign-in; others are sent to sign in."""
    page = tour.person.get("/flower/").text
    if "ecg@" not in page:
        raise Trouble("Flower shows no worker of ECGs")
    stranger = Person(tour.front)
    if "/sign-in" not in stranger.get("/flower/").url:
        raise Trouble("Flower is open to strangers")


def headers(tour: Tour) -> str:
    """Each once: nginx and the front must not both set them."""
    answer = requests.Session().get if tour.front.certificate is None else tour.front.session().get
    found = answer(f"{tour.front.url}/sign-in", timeout=TIMEOUT)
    missing = [name for name in NEEDED_HEADERS if name not in found.headers]
    twice = [name for name in NEEDED_HEADERS if len(found.raw.headers.getlist(name)) > 1]
    if missing or twice:
        raise Trouble(f"Missing: {missing}; twice: {twice}")
    if tour.front.certificate and "/" in found.headers.get("Server", ""):
        raise Trouble(f"The Server header tells too much: {found.headers['Server']}")
    return f"{len(NEEDED_HEADERS)} headers"


def cookies(tour: Tour) -> str:
    """Over TLS they are secure ones; scripts never see them."""
    said = tour.front.session().get(f"{tour.front.url}/sign-in", timeout=TIMEOUT).headers.get("Set-Cookie", "")
    wanted = ["HttpOnly", "SameSite=Lax", *(["Secure"] if tour.front.certificate else [])]
    if lacking := [word for word in wanted if word not in said]:
        raise Trouble(f"The cookie lacks {', '.join(lacking)}")
    return ", ".join(wanted)


def metrics_closed(tour: Tour) -> str:
    """Whoever comes through nginx gets none of the figures."""
    answer = tour.front.session().get(f"{tour.front.url}/metrics", timeout=TIMEOUT)
    if answer.status_code not in (401, 403, 404) or "nightshift_" in answer.text:
        raise Trouble(f"/metrics answered {answer.status_code}")
    return str(answer.status_code)


def the_way_in(tour: Tour) -> str:
    """Plain HTTP leads to TLS, and TLS shows the stack's own certificate, which nobody else vouches for."""
    if not tour.front.plain:
        return "plain HTTP"
    sent = requests.get(f"{tour.front.plain}/runs?state=failed", allow_redirects=False, timeout=TIMEOUT)
    if not sent.is_redirect or sent.headers["Location"] != f"{tour.front.url}/runs?state=failed":
        raise Trouble(f"Plain HTTP answered {sent.status_code}, {sent.headers.get('Location')}")
    try:
        requests.get(f"{tour.front.url}/livez", timeout=TIMEOUT)
    except requests.exceptions.SSLError:
        return f"{sent.status_code}, verified"
    raise Trouble("The certificate is one that this machine trusts anyway: whose is it?")


def all_is_well(tour: Tour) -> str:
    """What a balancer is told, once beat has been heard."""
    end = time.monotonic() + 60
    while True:
        told = tour.front.session().get(f"{tour.front.url}/readyz", timeout=TIMEOUT).json()
        if told == told | {"database": "ok", "broker": "ok", "beat": "ok", "silent_queues": []}:
            return f"beat {told['beat_age_s']} s ago"
        if time.monotonic() > end:
            raise Trouble(f"/readyz says {told}")
        time.sleep(1)


PARTS: dict[str, Callable[[Tour], object]] = {
    "HTTP leads to HTTPS, with the stack's own certificate": the_way_in,
    "an ECG is read, its page and PDF": an_ecg,
    "a bank's file is read and written": an_import,
    "a forecast of electricity": a_forecast,
    "the API with a token; one key, one run": by_api,
    "the mail that was sent, its link through nginx": the_mail,
    "a page of each system": all_five,
    "Flower behind the sign-in": flower,
    "headers, each once": headers,
    "cookies": cookies,
    "metrics closed to the outside": metrics_closed,
    "/readyz": all_is_well,
}
