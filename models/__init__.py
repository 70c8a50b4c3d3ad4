"""Database tables and the questions asked of them. Imports nothing of ours.

Importing the package imports every table, so that the mappers find each other.
"""

from models import account, alert, artifact, delivery, intake, ledger, meter, run, schedule, stock, workspace

__all__ = [
    "account", "alert", "artifact", "delivery", "intake", "ledger", "meter", "run", "schedule", "stock", "workspace",
]  # fmt: skip
