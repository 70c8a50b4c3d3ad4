"""Forms about people: pydantic models read from a posted form, with a sentence beside each field that is wrong."""

import unicodedata
from functools import cache
from typing import Annotated, TypeVar
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from flask import request
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

M = TypeVar("M", bound=BaseModel)
LEAST_PASSWORD, LONGEST_PASSWORD = 12, 200
MOST_PAGES = 1_000_000


def read_form(model: type[M], **known: str) -> tuple[M | None, dict[str, str]]:
    """The posted form as `model`, or None and a sentence for each wrong field; what is `known` is not asked."""
    try:
        return model.model_validate(_posted() | known), {}
    except ValidationError as error:
        return None, {
            str(each["loc"][0]): _plain(each["type"], each["msg"]) for each in error.errors(include_input=False)
        }


def _posted() -> dict[str, str]:
    return {name: text.replace("\0", "") for name, text in request.form.items()}  # PostgreSQL keeps no NUL


def page_number() -> int:
    """The page of a list that is asked for, from 1; what no database can count to is the last that it can."""
    return min(max(1, request.args.get("page", 1, type=int)), MOST_PAGES)


def _plain(kind: str, message: str) -> str:
    ours = {"missing": "Fill this in.", "literal_error": "Choose one of these."}
    return ours.get(kind, message.removeprefix("Value error, "))


@cache
def time_zones() -> list[str]:
    """Zones by the name of a city, as browsers tell them, and UTC."""
    cities = (
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/"))
    )
    return ["UTC", *sorted(cities)]


def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, globally_deliverable=False).normalized.lower()
    except EmailNotValidError:
        raise ValueError("Mail cannot reach this address; it looks like name@example.org.") from None


def _name(text: str) -> str:
    name = " ".join("".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in text).split())
    if not 1 <= len(name) <= 120:
        raise ValueError("Give a name of at most 120 characters.")
    return name


def _zone(text: str) -> str:
    if text not in time_zones():
        raise ValueError("Choose a time zone from the list.")
    return text


def _password(text: str) -> str:
    if len(text) < LEAST_PASSWORD:
        raise ValueError(f"Take at least {LEAST_PASSWORD} characters; a few words in a row are easy to keep in mind.")
    if len(text) > LONGEST_PASSWORD:
        raise ValueError(f"Take at most {LONGEST_PASSWORD} characters.")
    return text


Email = Annotated[str, AfterValidator(_email)]
Name = Annotated[str, AfterValidator(_name)]
Zone = Annotated[str, AfterValidator(_zone)]
Password = Annotated[str, AfterValidator(_password)]


class Form(BaseModel):
    model_config = ConfigDict(extra="ignore")


class NewPassword(Form):
    """A password and nothing else."""

    password: Password


class Profile(Form):
    """What a person may change about themselves; a box that is not ticked is not sent."""

    name: Name
    time_zone: Zone
    mail_results: bool = False


class NewPerson(Form):
    """Who makes an account."""

    name: Name
    email: Email
    password: Password
    time_zone: Zone = "UTC"

    @field_validator("password")
    @classmethod
    def _not_the_address(cls, password: str, info: ValidationInfo) -> str:
        address = info.data.get("email", "")
        if address and password.lower() in (address, address.split("@")[0]):
            raise ValueError("Your address is the first thing anybody would try; take something else.")
        return password
