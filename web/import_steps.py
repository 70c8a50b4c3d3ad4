"""What the pages of all kinds of import do alike: hand a file over, read it anew, write it, take it back, forget it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from models.run import Run
from tasks.handover import Refused
from web import forms, import_book, submission
from web.current import reading
from web.import_book import Shown
from workers.enqueue import KeyConflict

FORGOT = "The preview is gone; nothing of it was written."


@dataclass(frozen=True)
class Steps:
    """The steps of one kind of import, on its own pages.

    Attributes:
        blueprint: whose `index` and `show` the person comes back to.
        job: that reads the files.
        subjects: what such an import may hold; any other is not found here.
        progress: the endpoint that shows a run.
        id_name: what an import's id is called in the pages' addresses.
        index, page: draw the list and one import, again with what was given and what is wrong with it.
    """

    blueprint: str
    job: str
    subjects: frozenset[str]
    index: Callable[[dict[str, Any], dict[str, str]], str]
    page: Callable[[str, dict[str, str], dict[str, str]], str]
    progress: str = "runs.show"
    id_name: str = "intake_id"

    def read(self) -> ResponseReturnValue:
        """Hand a file over; its run shows how far the reading is."""
        job = submission.find_job(self.job)
        values = forms.read(job, request.form)
        try:
            with forms.received(job, request.files) as files:
                return self._to(submission.take(job, values, files, submission.form_key()))
        except Refused as error:
            return self.index(values, error.errors), error.status
        except KeyConflict:
            return self.index(values, {"": submission.SENT_ALREADY}), 409

    def again(self, intake_id: str, chosen: Mapping[str, str]) -> ResponseReturnValue:
        """Read the same file anew, with what was chosen on the preview's page."""
        self._only_mine(intake_id)
        given = dict(chosen)
        try:
            return self._to(import_book.again(intake_id, given, submission.form_key(), self.job))
        except Refused as error:
            return self.page(intake_id, error.errors, given), error.status
        except KeyConflict:
            return self.page(intake_id, {"": submission.SENT_ALREADY}, given), 409

    def start(self, intake_id: str, action: str, also: bool = False) -> ResponseReturnValue:
        """Let its lines be written ("apply"), or taken back ("undo")."""
        self._only_mine(intake_id)
        try:
            return self._to(import_book.start(intake_id, action, also, None))
        except Refused as error:
            return self._back(intake_id, error)

    def discard(self, intake_id: str) -> ResponseReturnValue:
        """Forget a preview."""
        self._only_mine(intake_id)
        try:
            import_book.discard(intake_id)
        except Refused as error:
            return self._back(intake_id, error)
        flash(FORGOT, "success")
        return redirect(url_for(f"{self.blueprint}.index"), 303)

    def find(self, session: Session, intake_id: str) -> Shown:
        """One of these imports; 404 for any other."""
        shown = import_book.shown(session, intake_id)
        return shown if shown.intake.subject in self.subjects else abort(404)

    def _only_mine(self, intake_id: str) -> None:
        with reading() as session:
            self.find(session, intake_id)

    def _to(self, run: Run) -> ResponseReturnValue:
        return redirect(url_for(self.progress, run_id=run.id), 303)

    def _back(self, intake_id: str, error: Refused) -> ResponseReturnValue:
        flash(" ".join(error.errors.values()), "warning")
        which: dict[str, Any] = {self.id_name: intake_id}
        return redirect(url_for(f"{self.blueprint}.show", **which), 303)
