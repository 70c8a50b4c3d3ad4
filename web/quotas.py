"""The quotas of a workspace (workers/quotas.py), for the one of a web session."""

from sqlalchemy.orm import Session

from tasks.handover import HandedOver
from web.current import current_workspace, runtime
from workers import quotas


def check(session: Session, handed: HandedOver) -> None:
    """Refuse work that would go past the quotas of this session's workspace.

    Raises:
        Refused: 429 for too many runs that have not ended, 413 for too many bytes.
    """
    quotas.check(session, runtime().settings, current_workspace(), handed)


def check_waiting(session: Session) -> None:
    """Refuse one more run that has not ended.

    Raises:
        Refused: 429 for too many of them.
    """
    quotas.check_waiting(session, runtime().settings, current_workspace())
