"""The figures at the head of the usage page. What nobody reported is said, never shown as 0."""

from decimal import Decimal

from audit.listing import words
from audit.listing.tiles import Tile
from connectors.usage.reading import Summary, Sums

NO_DATA = "–"
FEWEST_COMMITS = 5
"""Below, a cost per commit would say more of the commits than of the cost."""


def activity(summary: Summary, rows_url: str) -> list[Tile]:
    total = summary.total
    counts = total.counts
    lines = f"+{words.number(counts['lines_added'])}"
    removed = f"−{words.number(counts['lines_removed'])} removed"
    return [
        Tile(
            "Active people",
            "With any activity, tokens or cost in these days; API keys that are nobody’s are not counted",
            words.number(total.people),
            url=rows_url,
        ),
        _count(total, "Sessions", "sessions", rows_url, "Each counted on every day it was active"),
        _count(
            total, "Prompts", "prompts", rows_url, "Telemetry alone has them; also turns that the agent starts itself"
        ),
        Tile("Lines added", "Accepted in a file, which is not reviewed or shipped", lines, url=rows_url, note=removed),
        _count(total, "Commits", "commits", rows_url, "Made through the agent"),
        _count(total, "Pull requests", "pull_requests", rows_url, "Made through the agent"),
        *_accepted(summary, rows_url),
    ]


def cost(summary: Summary, rows_url: str) -> list[Tile]:
    total = summary.total
    reckoned = "As clients and vendors reckon it; the invoice is the provider's"
    read, prompts = total.counts["cache_read_tokens"], total.prompt_tokens
    return [
        _money("Cost reported", reckoned, total.cost_reported, rows_url),
        _money("Cost computed", "Tokens times the price table", total.cost_computed, rows_url, estimate(total)),
        _difference(total, rows_url),
        Tile("Tokens", "Everything read and written", *_short(total.tokens), url=rows_url, note=_kinds(total)),
        _share("Cache share", "Of prompt tokens, those read from a cache", read, prompts, rows_url),
        _ratio("Cost per session", total.cost, total.counts["sessions"], 1, "sessions", rows_url),
        _ratio("Cost per commit", total.cost, total.counts["commits"], FEWEST_COMMITS, "commits", rows_url),
    ]


def estimate(sums: Sums) -> str:
    """Why a computed cost is not exact; "" if it is."""
    return "an estimate: cache writes priced as for 5 minutes" if sums.counts["cache_creation_tokens"] else ""


def per_cent(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.0f}" if whole else NO_DATA


def money(amount: Decimal | None) -> str:
    return NO_DATA if amount is None else words.money(amount)


def difference(sums: Sums) -> str:
    """Computed against reported, in per cent, of what has both."""
    if not sums.paired_reported or sums.paired_computed is None:
        return NO_DATA
    share = (sums.paired_computed - sums.paired_reported) * 100 / sums.paired_reported
    return f"{round(share, 1) + 0:+.1f} %".replace("-", "−")


def _count(total: Sums, label: str, name: str, url: str, definition: str) -> Tile:
    count = total.counts[name]
    if not count:
        return Tile(label, definition, NO_DATA, note="none reported")
    return Tile(label, definition, words.number(count), url=url)


def _accepted(summary: Summary, url: str) -> list[Tile]:
    definition = "Of proposed edits, those let run, by whomever or whatever"
    tools = sorted(summary.tools.items(), key=lambda item: -sum(item[1]))[:4]
    if not tools:
        return [Tile("Edits accepted", definition, NO_DATA, note="not enough data: no decisions reported")]
    return [
        Tile(
            f"{name[:40]} accepted", definition, per_cent(accepted, accepted + rejected), "%", url,
            f"{words.number(accepted)} of {words.number(accepted + rejected)}",
        )
        for name, (accepted, rejected) in tools
    ]  # fmt: skip


def _money(label: str, definition: str, amount: Decimal | None, url: str, note: str = "") -> Tile:
    if amount is None:
        return Tile(label, definition, NO_DATA, note="not enough data: no cost known")
    return Tile(label, definition, words.money(amount), url=url, note=note)


def _difference(total: Sums, url: str) -> Tile:
    definition = "Computed less reported, where both are known"
    if total.paired_reported is None or total.paired_computed is None:
        return Tile("Difference", definition, NO_DATA, note="not enough data: nothing has both")
    amount = round(total.paired_computed - total.paired_reported, 2)
    sign = "−" if amount < 0 else "+" if amount > 0 else ""
    return Tile("Difference", definition, f"{sign}{words.money(abs(amount))}", url=url, note=difference(total))


def _share(label: str, definition: str, part: int, whole: int, url: str) -> Tile:
    if not whole:
        return Tile(label, definition, NO_DATA, note="not enough data: no tokens reported")
    return Tile(label, definition, per_cent(part, whole), "%", url)


def _ratio(label: str, amount: Decimal | None, count: int, fewest: int, noun: str, url: str) -> Tile:
    definition = f"What is reported (else computed), by {noun}"
    if amount is None or count < fewest:
        return Tile(label, definition, NO_DATA, note=f"not enough data: {words.number(count)} {noun}")
    return Tile(label, definition, words.money(amount / count), url=url)


def _short(count: int) -> tuple[str, str]:
    if count < 1_000_000:
        return words.number(count), ""
    return f"{words.number(round(count / 1_000_000, 1))}", "M"


def _kinds(total: Sums) -> str:
    counts = total.counts
    told = (
        ("in", "input_tokens"), ("out", "output_tokens"), ("cache read", "cache_read_tokens"),
        ("written", "cache_creation_tokens"),
    )  # fmt: skip
    return ", ".join(f"{name} {''.join(_short(counts[column]))}" for name, column in told)
