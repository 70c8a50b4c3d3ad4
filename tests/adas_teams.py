"""How a desk works: a team, who is in it, an absence, a topic and a policy, each with a secret in its text."""

from datetime import date

from models.base import Base, new_id
from models.desk import Absence, Policy, Team, TeamMember, Topic
from tests.conftest import Person
from workers.runtime import Runtime

DAY = date(2030, 3, 1)


def team_rows(person: Person, secret: str) -> list[Base]:
    """Each after what it points at."""
    here = {"workspace_id": person.workspace_id}
    team, topic = new_id(), new_id()
    return [
        Team(id=team, name=f"{secret} {team}", time_zone="UTC", hours={"week": [[[540, 1020]]] * 7}, **here),
        TeamMember(team_id=team, account_id=person.account_id, lead=True, **here),
        Absence(id=new_id(), account_id=person.account_id, first=DAY, last=DAY, **here),
        Topic(id=topic, name=f"{secret} {topic}", team_id=team, **here),
        Policy(id=new_id(), name=secret, topic_id=topic, first_minutes=60, solve_minutes=600, **here),
    ]


def teams_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """Writes them; their ids by the names that routes have for them."""
    ids = {}
    with runtime.database.write(person.workspace_id) as session:
        for row in team_rows(person, secret):
            session.add(row)
            session.flush()
            ids[f"{row.__tablename__}_id"] = getattr(row, "id", "")
    return {name: value for name, value in ids.items() if value}
