"""Words for how teams and people use agents, with the rules that the pages state beside them. Pure."""

from connectors.usage.reading import Habits

LEAST_DAYS = 20
CHANGE = 0.1
TREND_RULE = (
    "Days with activity, person by person, in the second half of the time against the first: growing from 10 % more, "
    f"declining from 10 % fewer, plateau between; fewer than {LEAST_DAYS} days in all are not enough data. "
    "Days that nothing was read of count as days without: what is read only of late seems to grow."
)
TIER_RULE = (
    "Minimal: fewer than one session a week. Autonomous: at least one commit made by the agent on every second active "
    "day, and of the decisions recorded at least 80 % accepted. Conversational: everybody else."
)


def trend(first: int, second: int) -> str:
    """growing, plateau, declining, or "" where there is not enough data."""
    if first + second < LEAST_DAYS:
        return ""
    if second >= first * (1 + CHANGE):
        return "growing"
    return "declining" if second <= first * (1 - CHANGE) else "plateau"


def tier(habits: Habits, days: int) -> str:
    """autonomous, conversational or minimal, over that many days."""
    if habits.sessions * 7 < days:
        return "minimal"
    decisions = habits.accepted + habits.rejected
    trusted = not decisions or habits.accepted * 5 >= decisions * 4
    return "autonomous" if habits.commits * 2 >= habits.active_days and trusted else "conversational"
