"""What the assistant's pages share: the indexes that this process has loaded, and what they answer."""

import logging
from typing import TYPE_CHECKING, cast

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Desk
from tasks.care.suggestions.said import OWN, UNSURE, Answer, Guess, Reply
from tasks.errors import FilesAway
from web.current import runtime

if TYPE_CHECKING:
    from tasks.care.suggestions.index import Index
    from tasks.care.suggestions.shelf import Shelf

log = logging.getLogger(__name__)
SURE = {"likely": "likely", "perhaps": "perhaps", "unsure": "a long shot"}


def index_of(workspace_id: str, articles_alone: bool = False) -> "Index | None":
    """The desk's index; None while there is none, or none that can be read: the job makes one.

    Args:
        articles_alone: nothing of tickets is loaded: for all that customers are told.
    """
    from tasks.care import answering
    from tasks.care.suggestions.index import Unreadable

    for again in (True, False):  # the file may give way to a newer one between two questions
        with runtime().database.read(workspace_id) as session:  # a new one each time: it sees what was committed since
            key = session.scalar(select(Desk.index_key).where(Desk.workspace_id == workspace_id))
        if not key:
            return None
        try:
            return _shelf().get(key, articles_alone)
        except FilesAway:
            return None
        except (FileNotFoundError, Unreadable) as error:
            if again and isinstance(error, FileNotFoundError):
                continue
            log.warning("an index is gone or cannot be read: %s", key)
            with runtime().database.write(workspace_id) as session:
                answering.forget(session, workspace_id, key)
    return None


def _shelf() -> "Shelf":
    from tasks.care.suggestions.shelf import Shelf

    return cast("Shelf", current_app.extensions.setdefault("care_shelf", Shelf(runtime().storage.open)))


def suggested(
    session: Session, workspace_id: str, ticket_id: str, question: str
) -> tuple[list[Answer], tuple[Guess, ...], tuple[Guess, ...]] | None:
    """For an agent: answers with their sources, topics and priorities; None while nothing was learned."""
    from tasks.care import answering
    from tasks.care.suggestions import asking

    index = index_of(workspace_id)
    if index is None:
        return None
    found = asking.suggest(index, question, without=ticket_id)
    return answering.for_agents(session, found.hits), found.topics, found.priorities


def own_reply(session: Session, workspace_id: str, question: str) -> Reply:
    """For a customer: what published articles say, or that a person should see to it. No ticket is looked at."""
    from tasks.care import answering
    from tasks.care.suggestions import asking

    index = index_of(workspace_id, articles_alone=True)
    hits = [hit for hit in asking.articles(index, question) if hit.sure != UNSURE] if index else []
    answers = answering.for_customers(session, hits)
    return Reply(OWN, answers=tuple(answers), person=not any(each.sure == "likely" for each in answers))
