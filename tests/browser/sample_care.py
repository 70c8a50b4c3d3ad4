"""A help desk with something of each kind, so that each page has something to show: long names, HTML, trouble."""

from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.desk import Absence, Article, Policy, Team, TeamMember, Topic
from models.ticket import Presence, Rating, Ticket, TicketFile
from tasks.care import tickets
from tasks.care.tickets import AGENT, CUSTOMER, By, New
from tests.conftest import Person
from tests.front import member_of
from workers.runtime import Runtime

HOUR = 3_600_000
WEEK = [[[540, 720], [780, 1020]]] * 5 + [[], []]
TROUBLE = "It says <script>alert(1)</script> and https://example.org/a/very/long/address/" + "x" * 120
ASKED = (
    ("The printer prints only <b>bold</b> letters", TROUBLE, "zoe@example.org", "Zoë"),
    ("A subject that is so long that it fits on no phone’s line at all and goes on and on until it ends", "Help.",
     "somebody.with.a.very.long.address.indeed@a-domain-that-is-long-as-well.example.org", ""),
    ("Where is my parcel?", "- ordered on Monday\n- paid on Tuesday\n\nNothing came.", "zoe@example.org", ""),
    ("Invoice twice", "I got two.", "yan@example.org", "Yan"), ("No light", "", "yan@example.org", ""),
    ("It works again", "Thank you.", "yan@example.org", ""), ("Two things", "First: …", "w@example.org", "W"),
)  # fmt: skip


def customer_care(runtime: Runtime, person: Person) -> None:
    """The first ticket, #1, is the fullest: answered, noted, tagged, linked, with files and somebody else on it."""
    other = member_of(runtime, person, "grace-the-agent", "agent").account_id
    agent, me = By(AGENT, account_id=other), By(AGENT, account_id=person.account_id)
    with runtime.database.write(person.workspace_id) as session:
        now = clock(session)
        topic = _desk(session, person, other, now)
        made = [_ask(session, each, topic, now - (9 - at) * HOUR) for at, each in enumerate(ASKED)]
        _first(session, made, agent, me, now)
        _rest(session, made, agent, me, now)
        first = made[0]
        session.add(Presence(ticket_id=first.id, account_id=other, writes=True, seen_at=now + HOUR))
        session.add(Rating(ticket_id=made[5].id, score=2, words="It took <i>long</i>.", at=now))


def _desk(session: Session, person: Person, other: str, now: int) -> str:
    team = Team(
        id=new_id(), name="Repairs and returns", time_zone="Europe/Berlin", hours={"week": WEEK}, holidays="DE-BY"
    )
    session.add(team)
    session.flush()
    topic = Topic(id=new_id(), name="Printers & other things", team_id=team.id)
    session.add_all([topic, Topic(name="Old", archived=True)])
    session.flush()
    session.add_all([
        TeamMember(team_id=team.id, account_id=person.account_id, lead=True),
        TeamMember(team_id=team.id, account_id=other),
        Policy(name="All", first_minutes=60, solve_minutes=480, around_the_clock=True),
        Article(title="How to print", body="1. Plug it in\n2. Wait", topic_id=topic.id, published=True),
    ])  # fmt: skip
    today = _today(now)
    session.add(Absence(account_id=other, first=today, last=today))
    session.flush()
    return topic.id


def _today(now: int) -> date:
    return datetime.fromtimestamp(now / 1000, UTC).date()


def _ask(session: Session, asked: tuple[str, str, str, str], topic: str, at: int) -> Ticket:
    subject, text, email, name = asked
    new = New(subject, text, email, name, topic, quoted="> what was said before\n> <b>and</b> before that")
    return tickets.open_ticket(session, new, By(CUSTOMER), at)


def _first(session: Session, made: list[Ticket], agent: By, me: By, now: int) -> None:
    first = made[0]
    said = tickets.say(session, first, "answer", "Which one?", agent, now - 6 * HOUR, status="waiting")
    for name in ("a picture of it.png", "a name that is so long that it does not fit anywhere " * 3 + ".pdf"):
        session.add(TicketFile(
            ticket_id=first.id, message_id=said.id, name=name[:200], media_type="image/png", size=12_345,
            sha256="0" * 64, key="none",
        ))  # fmt: skip
    remarks = ("“big.mov” is left out: it is too large.",)
    tickets.say(
        session, first, "question", "The blue one.", By(CUSTOMER), now - 5 * HOUR, source="mail", remarks=remarks
    )
    tickets.say(session, first, "note", "He means the green one.", me, now - 4 * HOUR)
    tickets.change(session, first, me, now - 3 * HOUR, priority=1)
    for tag in ("printer", "vip"):
        tickets.tag(session, first, tag, me, now - 3 * HOUR)
    tickets.link(session, first, made[3], me, now - 2 * HOUR)
    tickets.add_copy(session, first, "boss@example.org", me, now - 2 * HOUR)


def _rest(session: Session, made: list[Ticket], agent: By, me: By, now: int) -> None:
    tickets.say(session, made[1], "answer", "Tell us more.", agent, now - HOUR, status="waiting")
    tickets.change(session, made[2], me, now - HOUR, assignee_id=me.account_id)
    tickets.change(session, made[3], me, now - HOUR, status="hold")
    tickets.change(session, made[5], me, now - HOUR, status="closed")
    tickets.merge(session, made[6], made[2], me, now - HOUR, confirmed=True)
