"""Database tables and the questions asked of them. Imports nothing of ours.

Importing the package imports every table, so that the mappers find each other.
"""

from models import (  # noqa: F401
    account,
    alert,
    artifact,
    delivery,
    desk,
    full_text,
    intake,
    ledger,
    meter,
    run,
    schedule,
    stock,
    ticket,
    workspace,
)
