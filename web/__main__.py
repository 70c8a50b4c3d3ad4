"""For whoever owns this machine: `python -m web code`, `… demo`, `… reset EMAIL`, `… address EMAIL NEW`."""

import argparse
import sys

from pydantic import ValidationError

from deploy.settings import settings
from models.session import EVERYONE
from web import demo, people
from web.address import NewAddress
from web.recovery import make_link
from web.signin import first_code
from workers.runtime import Runtime


def code(runtime: Runtime) -> str:
    """The first administrator's code; nothing once somebody has an account."""
    with runtime.database.read(EVERYONE) as session:
        return "" if people.inhabited(session) else first_code(runtime.settings)


def reset(runtime: Runtime, email: str) -> str:
    """A link with which this person chooses a new password, within 30 minutes."""
    return _link(runtime, email, "reset")


def address(runtime: Runtime, email: str, new: str) -> str:
    """A link with which this person, signed in, takes a new address within 30 minutes."""
    try:
        return _link(runtime, email, "address", NewAddress(new_email=new).new_email)
    except ValidationError:
        raise SystemExit(f"Mail cannot reach {new}; an address looks like name@example.org.") from None


def _link(runtime: Runtime, email: str, purpose: str, new: str | None = None) -> str:
    with runtime.database.write(EVERYONE) as session:
        account = people.find(session, email.strip().lower())
        if account is None:
            raise SystemExit(f"Nobody has an account with the address {email}.")
        return runtime.origin + make_link(session, account, purpose, new)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m web", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("code", help="print the code for the first administrator")
    commands.add_parser("reset", help="print a link for a new password").add_argument("email")
    commands.add_parser("demo", help="make a first account with samples of everything, to look around in")
    change = commands.add_parser("address", help="print a link that gives an account a new e-mail address")
    change.add_argument("email")
    change.add_argument("new")
    chosen = parser.parse_args(arguments)
    runtime = Runtime.from_settings(settings())
    try:
        match chosen.command:
            case "reset":
                text = reset(runtime, chosen.email)
            case "address":
                text = address(runtime, chosen.email, chosen.new)
            case "demo":
                text = demo.make(runtime)
            case _:
                text = code(runtime)
    finally:
        runtime.database.close()
    sys.stdout.write(f"{text}\n" if text else "")


if __name__ == "__main__":
    main()
