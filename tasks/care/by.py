"""Who did something to a ticket, and what is refused to them."""

from dataclasses import dataclass
from typing import Literal

from tasks.errors import FieldError

ANSWERS = ("owner", "member", "lead", "agent")  # roles of a membership that may be given tickets
LEADS = ("lead", "owner")  # who is told when a team without leads runs out of time; the first of them that there are
Kind = Literal["agent", "customer", "machine"]
AGENT: Literal["agent"] = "agent"
CUSTOMER: Literal["customer"] = "customer"
MACHINE: Literal["machine"] = "machine"


@dataclass(frozen=True, slots=True)
class By:
    """Whoever does something.

    Attributes:
        kind: an agent (anybody who may answer), a customer, or the machinery itself.
        account_id: the agent's; of a customer, if they are signed in.
        customer_id: of the customer who speaks; a ticket's copies are customers as well.
        why: stands beside what they did in the history.
    """

    kind: Kind
    account_id: str | None = None
    customer_id: str | None = None
    why: str = ""


ITSELF = By(MACHINE)


class Refused(FieldError):
    """What cannot be done to a ticket: one sentence that says what to do, beside the field it is about."""
