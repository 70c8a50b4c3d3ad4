"""The API's tickets: routes of web/api.py's own blueprint, described by openapi_tickets."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from models.base import clock
from models.desk import Team, Topic
from models.ticket import ANSWER, NOTE, QUESTION, STATUSES, Customer, Ticket
from tasks.care import bonds, tickets, words
from tasks.care.attachments import NotTaken, Stored
from tasks.care.tickets import AGENT, By, Stale
from tasks.care.tickets import Refused as NotAllowed
from tasks.handover import Refused
from web import care_book, care_files, care_filter, care_people, care_raising, care_view
from web.api import NO_OBJECT, bp, idempotency_key, iso, json_body
from web.care_filter import NUMBER_OF, PRIORITIES
from web.care_ticket import LONGEST, TOO_LONG
from web.current import current_workspace, me, reading, require_desk, writing
from web.problems import problem
from workers.enqueue import KeyConflict

RAISED = ("subject", "text", "email", "name", "topic_id", "priority")
SAID = ("kind", "text", "status", "version")
CHANGED = ("subject", "status", "priority", "topic_id", "team_id", "assignee_id", "tags", "version")
KINDS = (ANSWER, NOTE, QUESTION)
NO_FIELD = "There is no such field; leave it out."
NO_TEXT = "Write a text."
NO_MARK = "This is no mark of a page; take it from “next”."
NO_VERSION = "Give the version that you saw, a whole number."
NO_TAGS = "Give a list of texts."
NO_SIZE = "Give a whole number from 1 to 100."
MEANWHILE = "This ticket was changed meanwhile: read it again, and send yours with the version that it has now."
MOST = 100


@bp.get("/tickets")
@require_desk("look")
def ticket_list() -> ResponseReturnValue:
    """Tickets with the filters of the page, and its search; `next` leads to the following ones."""
    given = {name: text for name, text in request.args.items() if name not in ("after", "size")}
    if unknown := set(given) - set(care_filter.NAMES):
        raise Refused(dict.fromkeys(sorted(unknown), NO_FIELD))
    after, size = request.args.get("after", ""), _size(request.args.get("size", ""))
    with reading() as session:
        wanted, wrong = care_filter.read(
            given, me().time_zone, me().id, care_book.my_teams(session, me().id), given.get("view") or "all"
        )
        mark = care_book.mark_of(after, wanted.order)
        if wrong or (after and mark is None):
            raise Refused(wrong or {"after": NO_MARK})
        rows, following = care_book.listed(session, wanted, mark, clock(session), size)
        tags = care_view.tags(session, [ticket.id for ticket, _ in rows])
    more: Any = {name: text for name, text in request.args.items() if name != "after"} | {"after": following}
    return jsonify(
        tickets=[_brief(ticket, customer, tags.get(ticket.id, [])) for ticket, customer in rows],
        next=url_for("api.ticket_list", _external=False, **more) if following else None,
    )


def _size(text: str) -> int:
    if not text:
        return care_book.PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise Refused({"size": NO_SIZE})
    return int(text)


@bp.post("/tickets")
@require_desk("agent")
def add_ticket() -> ResponseReturnValue:
    """A new ticket of the customer with this address. The same key makes one, however often it is sent."""
    asked = care_raising.read(_body(RAISED))
    with _stored() as files, writing() as session:
        ticket, made = care_raising.raise_once(session, asked, source="api", files=files, key=idempotency_key())
    if not made:
        care_files.drop(files)
    return _made(ticket.number)


@bp.get("/tickets/<int:number>")
@require_desk("look")
def show_ticket(number: int) -> ResponseReturnValue:
    """One ticket with its latest messages; `page` leads to earlier ones."""
    return jsonify(_whole(number))


@bp.patch("/tickets/<int:number>")
@require_desk("agent")
def change_ticket(number: int) -> ResponseReturnValue:
    """What is named is changed, the rest stays. With the version that was seen, only if nobody was faster."""
    given = _body(CHANGED)
    fields: dict[str, Any] = {name: given[name] for name in CHANGED[:-2] if name in given}
    _checked(fields, given)
    with _named(), writing() as session:
        ticket, now, by = care_book.find(session, number), clock(session), By(AGENT, account_id=me().id)
        tickets.change(session, ticket, by, now, expected=given.get("version"), **fields)
        _tagged(session, ticket, given.get("tags"), by, now)
    return jsonify(_whole(number))


@bp.post("/tickets/<int:number>/messages")
@require_desk("agent")
def add_message(number: int) -> ResponseReturnValue:
    """A public answer, an internal note, or what the customer said elsewhere. The same key says it once."""
    given = _body(SAID)
    kind, text = _kind(given), given.get("text", "")
    if not isinstance(text, str) or len(text) > LONGEST:
        raise Refused({"text": TOO_LONG if isinstance(text, str) else NO_TEXT})
    mark = care_raising.fingerprint(idempotency_key())
    with _stored() as files, writing() as session:
        ticket = care_book.find(session, number)
        known = care_raising.known_by(session, mark) if mark else None
        if known is None:
            tickets.say(
                session, ticket, kind, text, By(AGENT, account_id=me().id), clock(session), source="api", files=files,
                status=given.get("status"), expected=given.get("version"), fingerprint=mark,
            )  # fmt: skip
        elif (known.ticket_id, known.kind, known.text) != (ticket.id, kind, words.plain(text)):
            raise KeyConflict
    if known is not None:
        care_files.drop(files)
    return _made(number)


@bp.get("/tickets/<int:number>/files/<ticket_file_id>")
@require_desk("look")
def ticket_file(number: int, ticket_file_id: str) -> ResponseReturnValue:
    """A file's bytes."""
    with reading() as session:
        found = care_files.find(session, care_book.find(session, number).id, ticket_file_id, notes=True)
    return care_files.send(found)


@bp.errorhandler(Stale)
def _stale(error: Stale) -> ResponseReturnValue:
    return problem(409, MEANWHILE, errors={"version": f"It is {error.ticket.version} now."})


@bp.errorhandler(NotAllowed)
def _not_allowed(error: NotAllowed) -> ResponseReturnValue:
    return problem(error.status, "Some fields cannot be taken; see errors.", errors={error.field: str(error)})


@bp.errorhandler(NotTaken)
def _not_taken(error: NotTaken) -> ResponseReturnValue:
    return problem(422, "Some files cannot be taken; see errors.", errors={error.field: str(error)})


def _body(fields: Sequence[str]) -> dict[str, Any]:
    """The fields of a JSON object, or of a form where files come along."""
    if request.mimetype == "multipart/form-data":
        body: Any = request.form.to_dict()
        if body.get("version", "").isdigit():
            body["version"] = int(body["version"][:9])
    else:
        body = json_body() if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    if unknown := set(body) - set(fields):
        raise Refused(dict.fromkeys(sorted(unknown), NO_FIELD))
    version = body.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or not 0 < version < 2**31):
        raise Refused({"version": NO_VERSION})
    return {name: text.replace("\0", "") if isinstance(text, str) else text for name, text in body.items()}


def _checked(fields: dict[str, Any], given: Mapping[str, Any]) -> None:
    """
    Raises:
        Refused: a field that is no text, or none of those that are offered.
    """
    wrong = {name: NO_TEXT for name, text in fields.items() if not isinstance(text, str | None)}
    for name in ("subject", "status"):
        if fields.get(name, "") is None:
            wrong[name] = NO_TEXT
    if "priority" in fields and fields["priority"] not in NUMBER_OF:
        wrong["priority"] = f"Choose one of {', '.join(NUMBER_OF)}."
    tags = given.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(each, str) for each in tags):
        wrong["tags"] = NO_TAGS
    if wrong:
        raise Refused(wrong)
    if "priority" in fields:
        fields["priority"] = NUMBER_OF[fields["priority"]]


def _kind(given: Mapping[str, Any]) -> str:
    kind, status = given.get("kind", ANSWER), given.get("status")
    if kind not in KINDS:
        raise Refused({"kind": f"Choose one of {', '.join(KINDS)}."})
    if status is not None and status not in STATUSES:
        raise Refused({"status": f"Choose one of {', '.join(STATUSES)}."})
    return str(kind)


@contextmanager
def _stored() -> Iterator[list[Stored]]:
    """The request's files in storage; they go again where the rest is refused."""
    files = care_files.checked()
    with reading() as session:
        kept = care_files.stored(session, current_workspace(), files)
    done = False
    try:
        yield kept
        done = True
    finally:
        if not done:
            care_files.drop(kept)


@contextmanager
def _named() -> Iterator[None]:
    """Messages for the fields as the API names them."""
    try:
        yield
    except NotAllowed as error:
        raise Refused({"tags" if error.field == "tag" else error.field: str(error)}, error.status) from error


def _tagged(session: Session, ticket: Ticket, wanted: list[str] | None, by: By, now: int) -> None:
    """Exactly these tags, where some are given."""
    if wanted is None:
        return
    named = {bonds.name(each) for each in wanted}
    there = set(care_view.tags(session, [ticket.id]).get(ticket.id, []))
    for each in sorted(there - named):
        tickets.untag(session, ticket, each, by, now)
    for each in sorted(named - there):
        tickets.tag(session, ticket, each, by, now)


def _made(number: int) -> Response:
    answer: Response = jsonify(_whole(number))
    answer.status_code = 201
    answer.headers["Location"] = url_for("api.show_ticket", number=number)
    return answer


def _brief(one: Ticket, customer: Customer, tags: Sequence[str]) -> dict[str, Any]:
    """A ticket as lists tell it. Times are ISO 8601 in UTC."""
    told = {name: getattr(one, name) for name in ("number", "subject", "status", "source", "version")}
    told |= {name: getattr(one, name) for name in ("topic_id", "team_id", "assignee_id", "reopened")}
    times = ("created_at", "changed_at", "answered_at", "solved_at", "closed_at", "first_due_at", "solve_due_at")
    told |= {name: iso(getattr(one, name)) for name in times}
    told |= {"first_in_time": one.first_in_time, "solve_in_time": one.solve_in_time}
    return told | {
        "priority": PRIORITIES[one.priority],
        "customer": {"id": customer.id, "email": customer.email, "name": customer.name},
        "tags": list(tags),
        "url": url_for("api.show_ticket", number=one.number),
    }


def _whole(number: int) -> dict[str, Any]:
    page = min(max(1, request.args.get("page", 1, type=int)), 1_000_000)
    with reading() as session:
        one = care_book.find(session, number)
        found = care_view.shown(session, one, me().id, clock(session), page)
        named = {
            "topic": care_people.called(session, Topic, one.topic_id),
            "team": care_people.called(session, Team, one.team_id),
        }
    told = _brief(one, found.customer, found.tags) | named | {"assignee": found.assignee, "copies": list(found.copies)}
    return told | {
        "links": [each.number for each in found.links], "merged_into": found.goes_on,
        "earlier_messages": max(0, found.older), "messages": [_message(number, each) for each in found.said],
    }  # fmt: skip


def _message(number: int, said: care_view.Said) -> dict[str, Any]:
    one = said.message
    files = [
        {
            "name": file.name, "media_type": file.media_type, "size": file.size,
            "url": url_for("api.ticket_file", number=number, ticket_file_id=file.id),
        }
        for file in said.files
    ]  # fmt: skip
    told = {"id": one.id, "kind": one.kind, "by": said.who, "text": one.text, "quoted": one.quoted, "files": files}
    return told | {
        "automatic": one.automatic, "source": one.source, "remarks": one.remarks or [], "at": iso(one.at)
    }  # fmt: skip
