"""The files that runs leave: downloads, and pictures to look at. Whose they are is asked anew each time."""

from typing import BinaryIO

from flask import Blueprint, Response, abort, send_file
from sqlalchemy import select

from models.artifact import Artifact
from models.run import Run
from web import run_view
from web.current import reading, runtime

bp = Blueprint("artifacts", __name__)
SAFE_TO_SHOW = ("image/png",)  # a raster format: nothing in it can run
ALONE = "default-src 'none'; frame-ancestors 'none'; sandbox"


@bp.get("/runs/<run_id>/artifacts/<artifact_id>")
def download(run_id: str, artifact_id: str) -> Response:
    return send(find(run_id, artifact_id), as_attachment=True)


@bp.get("/runs/<run_id>/pictures/<artifact_id>")
def picture(run_id: str, artifact_id: str) -> Response:
    artifact = find(run_id, artifact_id)
    return send(artifact, as_attachment=False) if artifact.media_type in SAFE_TO_SHOW else abort(404)


def find(run_id: str, artifact_id: str) -> Artifact:
    """An artifact of the workspace's run; 404 for all others."""
    query = select(Artifact).join(Run, Run.id == Artifact.run_id)
    query = query.where(Artifact.id == artifact_id, Run.id == run_id, run_view.open_to_me())
    with reading() as session:
        return session.scalar(query) or abort(404)


def send(artifact: Artifact, *, as_attachment: bool) -> Response:
    """Stream a file. Whatever it holds, a browser takes it for nothing of ours."""
    response = send_file(
        _open(artifact), artifact.media_type, as_attachment=as_attachment, download_name=artifact.name, max_age=0
    )
    response.content_length = artifact.size
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = ALONE
    return response


def _open(artifact: Artifact) -> BinaryIO:
    try:
        return runtime().storage.open(artifact.key)
    except FileNotFoundError:
        abort(410)
