"""What is said of a budget: the news in a line, why, and what to do. No sums of money: mails go through many hands."""

from dataclasses import dataclass

from tasks.budget.pace import FORECAST, OVER, WARNED, Standing
from tasks.money import show

WITHIN = {"week": "week", "month": "month", "year": "year", "payday": "time from pay day to pay day"}
MOST = 999  # per cent; beyond it the figure says no more


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    text: str
    end: str


NOTHING = Words("", "", "")


def told(name: str, period: str, standing: Standing, brief: bool = False) -> Words:
    """The words for a budget as it stands; `brief`: the title alone."""
    ahead = days(standing.days_left)
    if standing.share is None:
        return _nothing_may_go(name, standing, ahead)
    used = f"{percent(standing.share)} used"
    title = f"{name} {used}, {ahead} left"
    if standing.level == FORECAST:
        title = f"{name} will likely be overspent: {used}, {ahead} left"
    if brief:
        return Words(title, "", "")
    return Words(title, f"{_why(period, standing)} {_what_to_do(standing)}", f"{name} is back at {used}, {ahead} left")


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count or 'no'} days"


def percent(share: int | None) -> str:
    if share is None:
        return "–"
    return f"{share} %" if share <= MOST else f"more than {MOST} %"


def _nothing_may_go(name: str, standing: Standing, ahead: str) -> Words:
    why = "its limit is zero" if standing.carried >= 0 else "earlier periods were overspent by more than its limit"
    todo = "Look whether the entries stand in the right category, or give the budget a limit that you can keep."
    return Words(
        f"{name} is overspent: nothing may go, {ahead} left",
        f"Nothing may go in this period, for {why}, so any spending is over it. {todo}",
        f"{name} is no longer overspent",
    )


def _why(period: str, standing: Standing) -> str:
    gone = f"day {standing.days_gone} of {standing.window.days} of this {WITHIN[period]}"
    even = f"It is {gone}; at an even pace {standing.even} % would be used."
    return f"{even} {likely(standing)}".strip()


def likely(standing: Standing) -> str:
    """Where it ends, in shares of the limit; nothing where that is over already or not known."""
    seen = standing.forecast
    if seen is None or standing.limit <= 0 or not standing.days_left:
        return ""
    low, high = (max(int(end * 100 // standing.limit), 0) for end in (seen.low, seen.high))
    span = f"at about {percent(low)}" if low == high else f"between {percent(low)} and {percent(high)}"
    return f"With what is known to come, it will likely end {span} of the limit."


def _what_to_do(standing: Standing) -> str:
    if standing.level >= OVER:
        return "Look at its largest entries: move what stands in the wrong category, or give the budget a higher limit."
    if standing.level >= FORECAST:
        rest = "What is left has to do until then." if standing.level >= WARNED else "Spend less a day, and it will do."
        return f"{rest} The budget’s page says how much that is a day."
    return "Nothing is to be done yet."


def line(name: str, standing: Standing, currency: str = "") -> str:
    """A budget in a digest; with sums of money where a currency is given."""
    ahead = f"{days(standing.days_left)} left"
    if standing.share is None:
        return f"{name}: overspent, for nothing may go; {ahead}."
    used = f"{percent(standing.share)} used"
    if currency:
        used = f"{show(standing.spent, currency)} of {show(standing.limit, currency)} used ({percent(standing.share)})"
    said = f"{name}: {used}, {ahead}."
    if standing.level < OVER and (ends := likely(standing)):
        said += f" {ends}"
    return said


def alt(name: str, standing: Standing) -> str:
    """What the burn-down shows, for those who do not see it."""
    said = f"{name}: {percent(standing.share)} of the limit is used on day {standing.days_gone} of"
    said = f"{said} {standing.window.days}, where an even pace would have used {standing.even} %."
    return f"{said} {likely(standing)}".strip()
