"""Who asks, in which workspace, with which rights; and the only doors from a view to the database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, cast

import flask_login
from flask import abort, current_app
from sqlalchemy.orm import Session

from models.session import EVERYONE
from models.workspace import CUSTOMER, DESK
from workers.runtime import Runtime

P = ParamSpec("P")
R = TypeVar("R")
RANKS = {"viewer": 1, "member": 2, "owner": 3}  # in the house; all others have none there
DESK_RANKS = {"viewer": 1, "member": 2, "agent": 2, "lead": 3, "owner": 3}  # in customer care; customers have none
NEEDED = {"look": 1, "agent": 2, "lead": 3}
Least = Literal["look", "agent", "lead"]


@dataclass(frozen=True)
class Person:
    """Somebody signed in, by a browser (`sign_in_id`) or by a token (`scope` "read" or "write")."""

    id: str
    name: str
    email: str
    is_admin: bool
    time_zone: str
    workspace_id: str
    workspace_name: str
    role: str
    secret: str
    sign_in_id: str = ""
    scope: str = "write"

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """flask-login's word for what stands in the cookie: the sign-in's secret, not the account's id."""
        return self.secret


def runtime() -> Runtime:
    """This process's doors: settings, database, storage."""
    return cast(Runtime, current_app.extensions["nightshift"])


def person() -> Person | None:
    """Who asks, or None."""
    found = cast(Any, flask_login.current_user)._get_current_object()  # once: a page asks for this a hundred times
    return cast(Person, found) if found and found.is_authenticated else None


def me() -> Person:
    """Who asks; 401 when nobody is signed in."""
    return person() or abort(401)


def current_workspace() -> str:
    """The id of the workspace that is being looked at."""
    return me().workspace_id


def role() -> str:
    """The person's role in the current workspace; a token made for reading has no more than a viewer's."""
    asking = me()
    return asking.role if asking.scope == "write" else min(asking.role, "viewer", key=rank)


def rank(role: str) -> int:
    """What a role may do with what a workspace has: 0 is nothing, as of the desk's people and of customers."""
    return RANKS.get(role, 0)


def may(least: str) -> bool:
    """Whether the person has at least this role in the current workspace."""
    return person() is not None and rank(role()) >= RANKS[least]


def may_at_desk(least: Least) -> bool:
    """Whether the person may do so much in customer care: look, answer ("agent"), or say how it works ("lead")."""
    asking = person()
    if asking is None:
        return False
    mine = DESK_RANKS.get(asking.role, 0)
    return (mine if asking.scope == "write" else min(mine, 1)) >= NEEDED[least]


def may_look() -> bool:
    """Whether the person may see the desk: its tickets, articles and reports."""
    return may_at_desk("look")


def may_answer() -> bool:
    """Whether the person may answer and change tickets."""
    return may_at_desk("agent")


def may_lead() -> bool:
    """Whether the person may change teams, policies and the desk's settings."""
    return may_at_desk("lead")


def reading() -> AbstractContextManager[Session]:
    """A transaction for reading what belongs to the current workspace."""
    return runtime().database.read(current_workspace())


def writing() -> AbstractContextManager[Session]:
    """A transaction for writing in the current workspace; commits at its end."""
    return runtime().database.write(current_workspace())


@contextmanager
def everyone(write: bool = False) -> Iterator[Session]:
    """A transaction that is not narrowed: for accounts, sign-ins, memberships and a person's own mail alone."""
    database = runtime().database
    with database.write(EVERYONE) if write else database.read(EVERYONE) as session:
        yield session


def require_role(least: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For views that need at least this role in the current workspace: 403 otherwise."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            me()
            return view(*args, **kwargs) if may(least) else abort(403)

        return wrapped

    return decorate


def require_desk(least: Least) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For views of customer care: opens them for the desk's people (`web.gate`), and 403 for who may do less."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            me()
            return view(*args, **kwargs) if may_at_desk(least) else abort(403)

        return desk_too(wrapped)

    return decorate


def desk_too(view: Callable[P, R]) -> Callable[P, R]:
    """For views that agents and leads may meet as well; what these then show is the view's to narrow."""
    return _opened(view, *DESK)


def own(view: Callable[P, R]) -> Callable[P, R]:
    """For views that show nothing but what is the person's own, so that customers may meet them as well."""
    return _opened(view, *DESK, CUSTOMER)


def _opened(view: Callable[P, R], *roles: str) -> Callable[P, R]:
    cast(Any, view).open_to = frozenset(roles)
    return view


def require_admin(view: Callable[P, R]) -> Callable[P, R]:
    """For views of those who run the system; others learn nothing of them: 404."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(*args, **kwargs) if me().is_admin else abort(404)

    return of_administrators(wrapped)


def of_administrators(view: Callable[P, R]) -> Callable[P, R]:
    """For views that see to it themselves that administrators alone come in, whatever their role in a workspace."""
    cast(Any, view).for_administrators = True
    return view


def public(view: Callable[P, R]) -> Callable[P, R]:
    """For views that need no sign-in. All others do: forgetting this closes a page, never opens one."""
    cast(Any, view).public = True
    return view
