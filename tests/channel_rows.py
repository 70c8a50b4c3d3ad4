"""A channel of Ada's, and what a link in her mails holds, for whoever looks for what is hers."""

from models.alert import Channel
from models.base import new_id
from models.session import EVERYONE
from tests.conftest import Person
from workers.runtime import Runtime


def channel_of(runtime: Runtime, person: Person, words: str) -> dict[str, str]:
    """Her channel's id, by the name that routes have for it."""
    row = Channel(id=new_id(), account_id=person.account_id, name=words, scheme="ntfy", sealed_url=words)
    with runtime.database.write(EVERYONE) as session:
        session.add(row)
    return {"channel_id": row.id}
