"""How much one workspace may have, so that nobody fills the disk or the queues of the others."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.artifact import Artifact, Upload
from models.run import END_STATES, Run
from tasks.handover import HandedOver, Refused
from web.current import runtime

MEGABYTE = 1_000_000


def check(session: Session, handed: HandedOver) -> None:
    """Refuse work that would go past the limits of this session's workspace.

    Raises:
        Refused: 429 for too many runs that have not ended, 413 for too many bytes.
    """
    allowed = runtime().settings
    going_on = select(func.count()).select_from(Run).where(Run.state.not_in(END_STATES), Run.listed.is_(True))
    if (session.scalar(going_on) or 0) >= allowed.waiting_runs:
        said = f"{allowed.waiting_runs} runs of this workspace wait already. Send more once some of them are done."
        raise Refused({"": said}, 429)
    if not handed.uploads:
        return
    kept = session.scalar(select(func.sum(Upload.size)).where(Upload.deleted_at.is_(None))) or 0
    kept += session.scalar(select(func.sum(Artifact.size))) or 0
    if kept + sum(upload.size for upload in handed.uploads) > allowed.storage_mb * MEGABYTE:
        said = f"This workspace keeps {allowed.storage_mb} MB of files already. Ask the administrator for more room."
        raise Refused({"": said}, 413)
