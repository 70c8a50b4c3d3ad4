"""A sign of life for whoever watches a container: a file that the main loop touches while it turns."""

from pathlib import Path

from deploy.settings import Settings

EVERY = 5.0  # seconds, at least


def sign(settings: Settings) -> None:
    """Touch the file that NIGHTSHIFT_ALIVE names, if it names one."""
    if settings.alive:
        Path(settings.alive).touch()
