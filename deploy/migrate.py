"""Brings the database up to date: `python -m deploy.migrate`. Run twice, or by two at once, it is done once."""

import sys
import time

from sqlalchemy.exc import OperationalError

from deploy.settings import settings
from models.migrate import upgrade

PATIENCE = 60.0  # seconds for a database that is just starting


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
        else:
            sys.stdout.write("The database is up to date.\n")
            return


if __name__ == "__main__":
    main()
