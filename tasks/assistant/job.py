"""The job that makes the assistant's indexes: each night for desks with newly solved tickets, sooner after many, and at
once when an article changed. It sends nothing anywhere; an index is a file of arrays in storage."""

import io

from pydantic import Field

from models.base import clock
from models.desk import Article, Desk
from models.run import SUCCEEDED
from models.workspace import SYSTEM
from tasks.care import answering
from tasks.context import Context
from tasks.errors import JobError
from tasks.job import Job, Params, Result, hidden_field
from tasks.storage import drop


class AssistantParams(Params):
    """Nothing to fill in. The system's own run splits into desks: whose this one makes."""

    place: str = hidden_field("", at_most=28)


class AssistantResult(Result):
    """What was learned from."""

    desks: int = Field(title="Indexes that were made")
    failed: int = Field(0, title="Desks whose index could not be made")
    tickets: int = Field(0, title="Solved tickets that agents get answers from")
    passages: int = Field(0, title="Passages of published articles")
    checked: int = Field(0, title="Of these tickets, asked for in other words as if they were not there")
    right: float = Field(0, title="Share of the answers told as likely that were right, at least")
    topic_right: float = Field(0, title="Share of the topics told as likely that were right")
    priority_right: float = Field(0, title="The same of priorities")


def run(params: AssistantParams, ctx: Context) -> AssistantResult:
    """Make the index of one desk; in the system's workspace, of all that are behind."""
    if ctx.workspace != SYSTEM:
        return _one(ctx, ctx.workspace)
    if params.place:
        return _summed(_one(ctx, params.place))
    if ctx.children is not None:
        return _together(ctx)
    with ctx.read_everything() as session:
        behind = answering.due(session, clock(session))
    if not behind:
        return AssistantResult(desks=0)
    ctx.fan_out("assistant", [AssistantParams(place=each.workspace_id) for each in behind])


def _summed(result: AssistantResult) -> AssistantResult:
    """What a desk has is for its own people: the system's runs keep no more than that it was made."""
    return AssistantResult(desks=result.desks)


def _together(ctx: Context) -> AssistantResult:
    ended = ctx.children or []
    made = sum(child.state == SUCCEEDED for child in ended)
    return AssistantResult(desks=made, failed=len(ended) - made)


def _one(ctx: Context, place: str) -> AssistantResult:
    from tasks.care.suggestions import checking, index

    with ctx.database.read(place) as session:
        desk = session.get(Desk, place)
        before, now = (desk.index_key, clock(session)) if desk else ("", 0)
        solved = list(answering.solved(session)) if desk else []
        told = answering.published(session) if desk else []
    if desk is None:
        return AssistantResult(desks=0)
    ctx.progress(0.3, f"{len(solved)} solved tickets, {len(told)} passages")
    made = index.build(solved, told, now=now)
    ctx.progress(0.7, "Asking for some of them")
    bounds = checking.check(made, [each.question for each in solved])
    checked = index.rebound(made, bounds)
    ctx.progress(0.9, "Keeping it")
    _keep(ctx, place, before, index.dump(checked), now)
    return AssistantResult(
        desks=1, tickets=len(solved), passages=len(told), checked=bounds.checked, right=bounds.right,
        topic_right=bounds.topic_right, priority_right=bounds.priority_right,
    )  # fmt: skip


def _keep(ctx: Context, place: str, before: str, data: bytes, now: int) -> None:
    """A new file, then its name in the desk's row, then the old file goes: whoever asks meanwhile finds one of them."""
    try:
        key, _ = ctx.storage.put(io.BytesIO(data))
    except OSError as error:
        raise JobError(f"The index could not be kept: {error.strerror}. Make room, then run this again.") from error
    with ctx.database.write(place) as session:
        ours = answering.swap(session, place, before, key, now)
    if old := before if ours else key:
        drop(ctx.storage, [old])


def headline(result: AssistantResult) -> str:
    """For lists and mails."""
    if result.tickets or result.passages:
        return f"{result.tickets} solved tickets, {result.passages} passages of articles"
    return f"{result.desks} desks" if result.desks else "nothing new to learn"


JOB = Job(
    kind="assistant",
    title="Teach the assistant",
    summary="Learns from newly solved tickets and published articles, so that it suggests what was answered before.",
    params=AssistantParams,
    result=AssistantResult,
    run=run,
    queue="default",
    schedule="22 * * * *",
    time_limit=600,
    watches=(Article,),
    headline=headline,
)
