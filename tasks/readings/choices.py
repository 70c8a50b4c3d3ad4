"""What a person may say about a meter file, and what the form's words mean to the reader."""

from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from tasks.job import Params, files_field
from tasks.metering.files.found import ROLES, Hints

SIGNS = {"semicolon": ";", "comma": ",", "tab": "\t", "bar": "|", "point": "."}
NO_ZONE = "Choose a time zone such as Europe/Berlin."
NO_ROLE = "“{}” is no meaning of a column here; choose among {}."
TWO_TO_ONE = "Two meters of the file would go to one of yours. Choose another one for one of them, or leave it out."
MOST_TARGETS = 40_000
Clock = Literal["", "zone", "standard", "utc"]


def _choice(title: str, labels: dict[str, str], help_: str = "", empty: str = "Found by itself") -> Any:
    """A field of which nothing need be chosen."""
    return Field("", title=title, description=help_, json_schema_extra={"labels": {"": empty, **labels}})


class ReadingsParams(Params):
    """What to read, and what of it is known; all but the file is found by itself, or asked for."""

    files: list[str] = files_field(
        "File", accept=".csv,.txt,.tsv,.xml,.json",
        description="CSV of any meter, Green Button XML, or Home Assistant's statistics as CSV or JSON.",
    )  # fmt: skip
    meter: str = Field(
        "", title="Meter", max_length=28,
        description="The id of a meter, for a file of one. Left empty, a meter is found by its name, or made.",
    )  # fmt: skip
    unit: Literal["", "Wh", "kWh", "MWh", "GWh", "W", "kW", "MW"] = _choice(
        "Unit", {}, "Of values that do not say theirs."
    )
    zone: str = Field(
        "", title="Time zone", max_length=64,
        description="Of times that do not say theirs, such as Europe/Berlin. Left empty: the meter's, else yours.",
    )  # fmt: skip
    clock: Clock = _choice(
        "Summer time", {"zone": "As the time zone has it", "standard": "No summer time", "utc": "Times are UTC"}
    )
    meter_kind: Literal["", "interval", "counter"] = _choice(
        "The meter tells", {"interval": "The energy of each interval", "counter": "What a counter shows"}
    )
    dates: Literal["", "dmy", "mdy", "ymd"] = _choice(
        "Order of dates", {"dmy": "Day, month, year", "mdy": "Month, day, year", "ymd": "Year, month, day"}
    )
    decimal: Literal["", "point", "comma"] = _choice("Before the decimals", {"point": "Point", "comma": "Comma"})
    stamps: Literal["", "start", "end"] = _choice(
        "A time is", {"start": "The start of its interval", "end": "The end of its interval"}
    )
    repeats: Literal["", "last", "first", "neither"] = _choice(
        "Different values for one time",
        {"last": "The last one counts", "first": "The first one counts", "neither": "None of them counts"},
    )
    turns: Literal["", "divide", "as they are"] = _choice(
        "kWh and Wh by turns", {"divide": "Divide the larger by 1000", "as they are": "Leave them as they are"}
    )
    swapped: Literal["", "leave out"] = _choice(
        "Day and month swapped", {"leave out": "Leave out the days that may be wrong"}, empty="Do not bring it in"
    )
    delimiter: Literal["", "semicolon", "comma", "tab", "bar"] = _choice(
        "Between the columns", {"semicolon": "Semicolon ;", "comma": "Comma ,", "tab": "Tab", "bar": "Bar |"}
    )
    columns: str = Field(
        "", title="Columns", max_length=4000,
        description="What each column is, from the left, with | between them: time|value||temperature.",
    )  # fmt: skip
    targets: str = Field(
        "", title="Meters", max_length=MOST_TARGETS,
        description="For each meter of the file, with | between them: a meter's id, “new”, or “-” to leave it out.",
    )  # fmt: skip

    @field_validator("zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value and value not in available_timezones():
            raise ValueError(NO_ZONE)
        return str(ZoneInfo(value)) if value else ""

    @field_validator("columns")
    @classmethod
    def _known(cls, value: str) -> str:
        for each in (part.strip() for part in value.split("|")) if value else ():
            if each not in ROLES and each != "value clock":
                raise ValueError(NO_ROLE.format(each[:30], ", ".join(name for name in ROLES if name)))
        return value

    @field_validator("targets")
    @classmethod
    def _each_once(cls, value: str) -> str:
        chosen = [part.strip() for part in value.split("|") if part.strip() not in ("", "new", "-")]
        if len(set(chosen)) < len(chosen):
            raise ValueError(TWO_TO_ONE)
        return value

    def hints(self, name: str, zone: str, now: int) -> Hints:
        """The same for the reader."""
        return Hints(
            name=name, zone=zone, clock=self.clock, unit=self.unit, kind=self.meter_kind, dates=self.dates,
            decimal={"point": ".", "comma": ","}.get(self.decimal, ""), stamps=self.stamps, repeats=self.repeats,
            turns=self.turns, swapped=self.swapped, delimiter=SIGNS.get(self.delimiter, ""), now=now,
            columns=tuple(part.strip() for part in self.columns.split("|")) if self.columns else (),
        )  # fmt: skip


CHOICES = tuple(name for name in ReadingsParams.model_fields if name not in ("files", "meter", "targets"))
