"""Public holidays of a country or of one of its regions, as the library `holidays` knows them."""

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=256)
def public_holidays(country: str, region: str, years: tuple[int, ...]) -> frozenset[date]:
    """The public holidays of a country or of one of its regions.

    Args:
        country: ISO 3166-1 alpha-2, "AU"; "" for none.
        region: the second part of ISO 3166-2, "VIC"; "" for those of the whole country.
        years: which years.

    Raises:
        ValueError: no such country or region there; the text is for people.
    """
    return frozenset(day for day, _name in named_holidays(country, region, years))


@lru_cache(maxsize=256)
def named_holidays(country: str, region: str, years: tuple[int, ...]) -> tuple[tuple[date, str], ...]:
    """The same with their names, in English where the library has them, in the order of the calendar.

    Raises:
        ValueError: as above.
    """
    if not country:
        return ()
    import holidays

    try:
        found = holidays.country_holidays(country, subdiv=region or None, years=years, language="en_US")
    except NotImplementedError as error:
        where = f"{region} in {country}" if region else country
        raise ValueError(
            f"The public holidays of {where} are not known. Choose another region, or the country alone."
        ) from error
    return tuple(sorted(found.items()))


def regions(country: str) -> tuple[str, ...]:
    """The regions of a country whose holidays are known, () for a country that is not known. For a form's choice."""
    import holidays

    return tuple(sorted(holidays.list_supported_countries(include_aliases=False).get(country, ())))


def countries() -> tuple[str, ...]:
    """The countries whose holidays are known, ISO 3166-1 alpha-2, sorted. For a form's choice."""
    import holidays

    return tuple(sorted(code for code in holidays.list_supported_countries() if len(code) == 2))
