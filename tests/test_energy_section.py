"""Electricity in a digest: last week, tomorrow, the coming week's cost, one tip, a picture; money for who wants it."""

import time

from tasks import discover
from tasks.metering.energy_section import energy
from tasks.sections import Reader, Section
from tests.conftest import Person
from tests.energy_rows import DAY, meter_of, tariff_of, usage
from tests.test_energy_job import looked
from workers.runtime import Runtime

SINCE = 0


def section(runtime: Runtime, person: Person, *, amounts: bool, pictures: bool = False) -> Section | None:
    made = discover()["energy"].section
    assert made is not None
    with runtime.database.read(person.workspace_id) as session:
        reader = Reader(person.account_id, "Ada", "UTC", amounts, pictures, SINCE)
        return made(session, person.workspace_id, reader)


def test_a_workspace_without_meters_has_no_part_and_one_with_old_readings_neither(
    runtime: Runtime, ada: Person
) -> None:
    assert section(runtime, ada, amounts=True) is None
    looked(runtime, ada, meter_of(runtime, ada, usage(30)), budget=0.1)
    assert section(runtime, ada, amounts=True) is None, "what a meter used in 2014 is no news"


def test_it_tells_last_week_tomorrow_and_what_the_coming_week_costs_with_a_picture(
    runtime: Runtime, ada: Person
) -> None:
    start = (int(time.time()) // DAY - 60) * DAY
    meter = meter_of(runtime, ada, usage(60, start=start), tariff_id=tariff_of(runtime, ada))
    run = looked(runtime, ada, meter, budget=0.3)
    assert run.state == "succeeded", run.error
    found = section(runtime, ada, amounts=True, pictures=True)
    assert found is not None
    assert (found.title, found.link) == ("Electricity", "/energy")
    said = "\n".join(found.lines)
    assert "House: " in said
    assert "kWh in the last 7 days, " in said
    assert "than in the 7 before" in said or "as much as in the 7 before" in said
    assert "kWh tomorrow" in said
    assert "in the 7 days ahead: about " in said
    assert "€" in said
    (figure,) = found.figures
    assert figure.png.startswith(b"\x89PNG")
    assert "the forecast lies between" in figure.alt
    quiet = section(runtime, ada, amounts=False)
    assert quiet is not None
    assert "€" not in "\n".join(quiet.lines)
    assert quiet.figures == []


def test_amounts_of_energy_are_three_digits_with_a_unit_that_fits() -> None:
    assert [energy(kwh) for kwh in (0.4216, 12.34, 154.2, 9_999.0, 15_430.0, 1_272_537_148.0)] == [
        "0.422 kWh", "12.3 kWh", "154 kWh", "9,999 kWh", "15.4 MWh", "1,273 GWh",
    ]  # fmt: skip
