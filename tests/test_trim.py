"""What is taken out of the images' packages is missed by nothing that stays."""

import shutil
from decimal import Decimal
from pathlib import Path

import babel.localedata
import pytest

from deploy import trim
from tasks import money
from tasks.tabular import days


def test_every_language_that_days_are_read_in_stays_and_money_is_written_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in trim.ALL_BUT["babel/locale-data"]:
        shutil.copy(Path(babel.localedata._dirname, f"{name}.dat"), tmp_path)
    before = _written()
    monkeypatch.setattr(babel.localedata, "_dirname", str(tmp_path))
    monkeypatch.setattr(babel.localedata, "_cache", {})
    assert _written() == before
    assert set(days.LANGUAGES) | {money.LOCALE} <= set(trim.ALL_BUT["babel/locale-data"])


def _written() -> tuple[dict[str, int], list[tuple[str, str]], list[str]]:
    for each in (days._months, money.currencies, money._names):
        getattr(each, "cache_clear", lambda: None)()
    currencies = money.currencies()
    return days._months(), currencies, [money.show(Decimal("-1234.5"), code) for code, _ in currencies]
