"""When a digest is due and when it is quiet, on the clocks of the places where people live."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tasks.alerting.slots import next_due, quiet

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def shown(moment: int | None, zone: str) -> str:
    assert moment is not None
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("repeat", "hour", "weekday", "monthday", "zone", "now", "expected"),
    [
        ("daily", 7, 1, 1, BERLIN, "2026-03-10 06:59", "Tue 2026-03-10 07:00"),
        ("daily", 7, 1, 1, BERLIN, "2026-03-10 07:00", "Wed 2026-03-11 07:00"),
        ("daily", 2, 1, 1, BERLIN, "2026-03-28 12:00", "Sun 2026-03-29 03:00"),  # the gap swallows 02:00
        ("daily", 2, 1, 1, BERLIN, "2026-03-29 03:00", "Mon 2026-03-30 02:00"),
        ("daily", 2, 1, 1, BERLIN, "2026-10-24 12:00", "Sun 2026-10-25 02:00"),  # comes twice, counts once
        ("daily", 0, 1, 1, "America/Santiago", "2026-09-05 12:00", "Sun 2026-09-06 01:00"),  # midnight in a gap
        ("weekly", 7, 1, 1, "Asia/Kolkata", "2026-03-09 06:00", "Mon 2026-03-09 07:00"),
        ("weekly", 7, 1, 1, "Asia/Kolkata", "2026-03-09 07:00", "Mon 2026-03-16 07:00"),
        ("weekly", 23, 7, 1, "Pacific/Apia", "2026-03-09 12:00", "Sun 2026-03-15 23:00"),
        ("monthly", 7, 1, 31, BERLIN, "2027-01-31 08:00", "Sun 2027-02-28 07:00"),
        ("monthly", 7, 1, 31, BERLIN, "2028-02-01 08:00", "Tue 2028-02-29 07:00"),
        ("monthly", 7, 1, 30, BERLIN, "2026-12-30 07:00", "Sat 2027-01-30 07:00"),
        ("monthly", 7, 1, 1, BERLIN, "2026-12-01 07:00", "Fri 2027-01-01 07:00"),
    ],
)
def test_the_next_slot_is_on_the_clock_of_the_persons_own_zone(
    repeat: str, hour: int, weekday: int, monthday: int, zone: str, now: str, expected: str
) -> None:
    assert shown(next_due(repeat, hour, weekday, monthday, zone, at(now, zone)), zone) == expected


def test_in_the_second_of_two_equal_hours_the_slot_is_over() -> None:
    second = int(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp() * 1000)  # 02:30 for the second time
    assert shown(next_due("daily", 2, 1, 1, BERLIN, second), BERLIN) == "Mon 2026-10-26 02:00"


def test_never_has_no_slot() -> None:
    assert next_due("never", 7, 1, 1, BERLIN, at("2026-03-10 06:59")) is None


@pytest.mark.parametrize("repeat", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("zone", ["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Pacific/Kiritimati"])
def test_slots_only_go_forward_and_each_day_has_at_most_one(repeat: str, zone: str) -> None:
    moment, days = at("2026-01-01 00:00"), set()
    for _ in range(800 if repeat == "daily" else 100):
        due = next_due(repeat, 2, 3, 31, zone, moment)
        assert due is not None
        assert due > moment
        day = shown(due, zone)[4:14]
        assert day not in days
        days.add(day)
        moment = due


@pytest.mark.parametrize(
    ("begin", "end", "clock", "expected"),
    [
        (22 * 60, 7 * 60, "23:30", True),
        (22 * 60, 7 * 60, "06:59", True),
        (22 * 60, 7 * 60, "07:00", False),
        (22 * 60, 7 * 60, "21:59", False),
        (12 * 60, 14 * 60, "13:00", True),
        (12 * 60, 14 * 60, "14:00", False),
        (9 * 60, 9 * 60, "09:00", False),
        (None, None, "03:00", False),
        (22 * 60, None, "23:00", False),
    ],
)
def test_quiet_hours_may_wrap_round_midnight(begin: int | None, end: int | None, clock: str, expected: bool) -> None:
    assert quiet(begin, end, BERLIN, at(f"2026-07-01 {clock}", BERLIN)) is expected
