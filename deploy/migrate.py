"""Brings the database up to date: `python -m deploy.migrate`. Run twice, or by two at once, it is done once."""

import sys
import time

from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from deploy.settings import settings
from models.migrate import upgrade

PATIENCE = 60.0  # seconds for a database that is just starting
NEWER = (
    "A newer Nightshift wrote this database, and nothing of it was changed: {}. Start that release again; how to go "
    "back to this one stands in deploy/README.md, under “Upgrading”."
)


def main() -> None:
    """The entry point."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            upgrade(settings().database)
        except OperationalError as error:
            if time.monotonic() > end:
                raise SystemExit(f"The database does not answer, or refuses us: {error.orig}") from None
            time.sleep(1)
        except CommandError as error:  # it knows no such revision
            raise SystemExit(NEWER.format(error)) from None
        else:
            sys.stdout.write("The database is up to date.\n")
            return


if __name__ == "__main__":
    main()
