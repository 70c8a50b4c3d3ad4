"""Database tables and the questions asked of them. Imports nothing of ours.

Importing the package imports every table, so that the mappers find each other.
"""

from models import account, artifact, delivery, run, schedule, workspace

__all__ = ["account", "artifact", "delivery", "run", "schedule", "workspace"]
