"""For whoever owns this machine: `python -m web code` and `python -m web reset EMAIL`."""

import argparse
import sys

from deploy.settings import settings
from models.session import EVERYONE
from web import people
from web.recovery import make_reset_link
from web.signin import first_code
from workers.runtime import Runtime


def code(runtime: Runtime) -> str:
    """The first administrator's code; nothing once somebody has an account."""
    with runtime.database.read(EVERYONE) as session:
        return "" if people.inhabited(session) else first_code(runtime.settings)


def reset(runtime: Runtime, email: str) -> str:
    """A link with which this person chooses a new password, within 30 minutes."""
    with runtime.database.write(EVERYONE) as session:
        account = people.find(session, email.strip().lower())
        if account is None:
            raise SystemExit(f"Nobody has an account with the address {email}.")
        return runtime.origin + make_reset_link(session, account)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m web", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("code", help="print the code for the first administrator")
    commands.add_parser("reset", help="print a link for a new password").add_argument("email")
    chosen = parser.parse_args(arguments)
    runtime = Runtime.from_settings(settings())
    try:
        text = reset(runtime, chosen.email) if chosen.command == "reset" else code(runtime)
    finally:
        runtime.database.close()
    sys.stdout.write(f"{text}\n" if text else "")


if __name__ == "__main__":
    main()
