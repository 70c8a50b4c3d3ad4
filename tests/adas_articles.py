"""A help article with a secret in its text, a draft: it is nobody else's to read."""

from models.base import new_id
from models.desk import Article
from tests.conftest import Person
from workers.runtime import Runtime


def article_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """Writes it; its id by the name that routes have for it."""
    found = new_id()
    with runtime.database.write(person.workspace_id) as session:
        session.add(Article(id=found, title=secret, body=secret, workspace_id=person.workspace_id))
    return {"article_id": found}
