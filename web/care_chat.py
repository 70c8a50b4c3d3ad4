"""The chat box on the pages where customers write a ticket: answers from published articles, or a person.

`care/_chat.html` is included there where `desk` is in the context, and the form's fields begin with what
`prefilled()` hands over. Nothing of what is asked is kept here: the page itself carries what was said before
(`care_talk`), and a ticket that it was handed over to shows it to its agent. Where IBM Watson Assistant is configured
it is asked first, and the page says so; when it fails the articles answer.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update

from models.desk import Article, Desk
from tasks.care.suggestions.said import NAMES, Reply, Trouble
from web import care_talk, throttle
from web.care_answers import own_reply
from web.current import current_workspace, everyone, me, own, public, runtime

bp = Blueprint("care_chat", __name__)
LONGEST, LONGEST_SAID, LONGEST_ECHO = 1000, 1500, 5000
BY_ADDRESS, BY_DESK = 40, 600  # questions in a quarter of an hour
KEPT, KEPT_TALK = "care_said", "care_talked"  # in the browser's signed cookie: what the ticket's form begins with
MOST_BYTES = 1200  # of what is said in that cookie: browsers drop one of more than 4,096 in all
TALK = "care_talk"
EMPTY = "Write what you want to know."
TOO_LONG = f"Write at most {LONGEST} characters here; the form below takes more."


@dataclass(frozen=True)
class Box:
    """What the chat's template needs: where it asks, where a ticket is written, and who is asked elsewhere."""

    action: str
    back: str
    desk_name: str
    elsewhere: str
    longest: int = LONGEST


def box(desk: Desk, back: str, mine: bool = False) -> Box | None:
    """The chat of a desk; None where its lead switched it off.

    Args:
        back: path of the page with the form for a new ticket.
        mine: whether a customer is signed in here (/care/my).
    """
    action = "/care/my/ask" if mine else f"/desk/{desk.slug}/ask"
    service = runtime().elsewhere
    return Box(action, back, desk.name, NAMES[service.name] if service else "") if desk.answers else None


@bp.app_template_global("chat_of")
def here(desk: Desk) -> Box | None:
    """The chat of a desk on the page that is being shown."""
    return box(desk, request.path, mine=request.path.startswith("/care/my"))


def prefilled() -> dict[str, str]:
    """What was said in the chat, as `subject`, `text` and `chat` of a new ticket; once, then it is forgotten."""
    said, talk = str(session.pop(KEPT, "")), str(session.pop(KEPT_TALK, ""))
    lines = said.splitlines()
    return {"subject": lines[-1][:120], "text": said, "chat": talk} if lines else {}


@bp.get("/desk/<slug>/ask")
@public
def page(slug: str) -> ResponseReturnValue:
    """The chat by itself."""
    return _page(_public_desk(slug), mine=False)


@bp.post("/desk/<slug>/ask")
@public
def ask(slug: str) -> ResponseReturnValue:
    return _asked(_public_desk(slug), mine=False, who=f"address {request.remote_addr}")


@bp.get("/care/my/ask")
@own
def my_page() -> ResponseReturnValue:
    return _page(_own_desk(), mine=True)


@bp.post("/care/my/ask")
@own
def my_ask() -> ResponseReturnValue:
    return _asked(_own_desk(), mine=True, who=f"account {me().id}")


def _public_desk(slug: str) -> Desk:
    mine = select(Desk).where(Desk.slug == slug, Desk.public.is_(True), Desk.answers.is_(True))
    with everyone() as reading:
        return reading.scalar(mine) or abort(404)


def _own_desk() -> Desk:
    with runtime().database.read(current_workspace()) as reading:
        return reading.scalar(select(Desk).where(Desk.answers.is_(True))) or abort(404)


def _page(desk: Desk, mine: bool) -> str:
    found = {"chat": box(desk, _back(desk, mine), mine), "said": "", "error": ""}
    return render_template("care/chat.html", bare=not mine, desk=desk, **found)


def _asked(desk: Desk, mine: bool, who: str) -> ResponseReturnValue:
    """Answer, or hand over; the whole page, or with `part` what the script puts into it."""
    form, back = request.form, _back(desk, mine)
    text, said = form.get("question", "").replace("\0", "").strip(), form.get("said", "")[-LONGEST_SAID:].strip()
    talk = form.get("talk", "")
    if form.get("person"):
        session[KEPT] = _joined(said, text[:LONGEST]).encode()[-MOST_BYTES:].decode(errors="ignore")
        session[KEPT_TALK] = talk if len(talk) <= care_talk.LONGEST else ""
        return redirect(back, 303)
    throttle.count("ask", who, BY_ADDRESS)
    throttle.count("ask at a desk", desk.workspace_id, BY_DESK)
    if helped := form.get("helped"):
        return _thanked(desk, mine, helped)
    error = EMPTY if not text else TOO_LONG if len(text) > LONGEST else ""
    reply, note = (None, "") if error else _reply(desk, text)
    if reply is not None:
        talk = care_talk.added(desk.workspace_id, talk, text, care_talk.told(reply))
    found: dict[str, Any] = {
        "chat": box(desk, back, mine), "talk": talk, "question": text[:LONGEST_ECHO],
        "said": said if error else _joined(said, text),
        "reply": reply, "note": note, "error": error, "names": NAMES, "desk": desk, "bare": not mine,
    }  # fmt: skip
    return render_template(f"care/{'_chat_reply' if form.get('part') else 'chat'}.html", **found), 422 if error else 200


def _reply(desk: Desk, text: str) -> tuple[Reply, str]:
    """An answer, and a note about who gave it when that was to be somebody else."""
    service, note = runtime().elsewhere, ""
    if service is not None:
        talk = session.get(TALK) or {"who": secrets.token_hex(8), "session": ""}
        try:
            reply = service.ask(text, talk["who"], talk["session"] if talk.get("desk") == desk.workspace_id else "")
        except Trouble as trouble:
            current_app.logger.warning("care.assistant_elsewhere: %s", trouble)
            note = f"{NAMES[service.name]} did not answer, so this is from the help articles."
        else:
            session[TALK] = {"who": talk["who"], "session": reply.session, "desk": desk.workspace_id}
            return reply, note
    with runtime().database.read(desk.workspace_id) as reading:
        reply = own_reply(reading, desk.workspace_id, text)
    return reply, note


def _thanked(desk: Desk, mine: bool, article_id: str) -> ResponseReturnValue:
    """An article helped: it is counted, which is no change of its text."""
    counted = update(Article).where(Article.id == article_id, Article.published.is_(True))
    with runtime().database.write(desk.workspace_id) as writing:
        writing.execute(counted.values(helped=Article.helped + 1).execution_options(synchronize_session=False))
    found = {"chat": box(desk, _back(desk, mine), mine), "desk": desk, "bare": not mine, "thanked": True, "error": ""}
    return render_template(f"care/{'_chat_reply' if request.form.get('part') else 'chat'}.html", **found)


def _back(desk: Desk, mine: bool) -> str:
    """The page with the form, if it is one of this desk's."""
    known = (url_for("my_tickets.new"), url_for("desk_page.ask", slug=desk.slug))
    given = request.form.get("back", "")
    return given if given in known else known[0] if mine else known[1]


def _joined(said: str, text: str) -> str:
    """What was said so far, one question under the other; the oldest goes first when it is much."""
    lines = [" ".join(line.split()) for line in [*said.splitlines(), text]]
    return "\n".join(line for line in lines if line)[-LONGEST_SAID:].strip()
