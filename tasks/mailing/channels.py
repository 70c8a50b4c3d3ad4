"""Deliveries through people's channels beside their mail: a headline, a few words and a link, never a picture."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alert import Channel
from models.delivery import Delivery

LONGEST_TEXT = 1500  # services cut off sooner or later


@dataclass(frozen=True, slots=True)
class Way:
    """A channel that is on."""

    id: str
    name: str


def ways(session: Session, accounts: Collection[str]) -> dict[str, list[Way]]:
    """The channels of some people that are on, in one question."""
    asked = select(Channel.account_id, Channel.id, Channel.name).where(Channel.enabled)
    found: dict[str, list[Way]] = defaultdict(list)
    for account_id, channel_id, name in session.execute(
        asked.where(Channel.account_id.in_(accounts)).order_by(Channel.id)
    ):
        found[account_id].append(Way(channel_id, name))
    return dict(found)


def short(text: str) -> str:
    """What a channel gets of a mail's words."""
    text = text.strip()
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def message(way: Way, account_id: str, workspace_id: str, subject: str, text: str, link: str = "") -> Delivery:
    """A delivery through a channel; the caller adds it to its session, and the mail job sends it.

    Args:
        text: plain, and short: it is cut at 1,500 characters.
        link: a whole address; it stands below the text.
    """
    return Delivery(
        workspace_id=workspace_id,
        account_id=account_id,
        channel_id=way.id,
        to=way.name,
        subject=subject[:200],
        text=f"{short(text)}\n{link}".strip(),
    )
