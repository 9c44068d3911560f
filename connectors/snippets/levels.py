"""How much Claude Code tells: four levels, as the variables that set them, each with what it sends.

Facts: Claude Code's monitoring documentation, and captures of what each variable puts on the wire. A level names what
it withholds, too: in managed settings nobody on the machine can then switch it on.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    """A variable, the value that switches it on, and what it sends then."""

    name: str
    value: str
    sends: str


ENTRYPOINT = Switch(
    "OTEL_METRICS_INCLUDE_ENTRYPOINT",
    "true",
    "How Claude Code was started: terminal, editor, headless, SDK. "
    "Without it the portal often cannot tell whether a person could be asked.",
)
REPOSITORY = Switch(
    "OTEL_METRICS_INCLUDE_REPOSITORY", "true", "Address, owner and name of the Git repository worked in."
)
VERSION = Switch("OTEL_METRICS_INCLUDE_VERSION", "true", "The version of Claude Code, with every event and count.")
TOOL_DETAILS = Switch(
    "OTEL_LOG_TOOL_DETAILS",
    "1",
    "Commands, file paths, web addresses, tool input (long values cut), "
    "the names of MCP servers, tools and skills, error texts.",
)
USER_PROMPTS = Switch(
    "OTEL_LOG_USER_PROMPTS", "1", "The text of prompts, and of replies unless these are switched off as well."
)
ASSISTANT_RESPONSES = Switch("OTEL_LOG_ASSISTANT_RESPONSES", "1", "The text of the model's replies.")

DECIDABLE = (ENTRYPOINT, REPOSITORY, VERSION, TOOL_DETAILS)
"""What makes decisions decidable (DESIGN §4)."""

WITHHELD = (USER_PROMPTS, ASSISTANT_RESPONSES)
"""Content that the usual level switches off by name."""

UNSET = (
    Switch("OTEL_LOG_TOOL_CONTENT", "", "What tools read and wrote, in traces only."),
    Switch("OTEL_LOG_RAW_API_BODIES", "", "Whole requests to the model and its whole answers."),
)
"""Content that is off as long as nobody names it; no level does."""


@dataclass(frozen=True, slots=True)
class Level:
    """`on` and `off` are the switches it names; `answers` and `silent_on` say what it is good for and what not."""

    slug: str
    title: str
    summary: str
    signals: tuple[str, ...]
    on: tuple[Switch, ...]
    off: tuple[Switch, ...]
    answers: str
    silent_on: str

    def environment(self) -> dict[str, str]:
        """The variables of its switches."""
        return {each.name: each.value for each in self.on} | {each.name: "0" for each in self.off}


METRICS = Level(
    "metrics",
    "Metrics only",
    "counts; no event, no text",
    ("metrics",),
    (ENTRYPOINT, VERSION),
    (TOOL_DETAILS, USER_PROMPTS, ASSISTANT_RESPONSES),
    "Who uses it, how much, at what cost: sessions, lines, commits, tokens, cost, accepted and rejected edits.",
    "Nothing of what the agent did: there are no sessions, decisions, mode changes or MCP connections in the portal.",
)
METADATA = Level(
    "metadata",
    "Metadata",
    "who or what decided; no command, no name, no text",
    ("logs", "metrics"),
    (ENTRYPOINT, REPOSITORY, VERSION),
    (TOOL_DETAILS, USER_PROMPTS, ASSISTANT_RESPONSES),
    "Which tool was allowed or refused, by whom or what, in which mode, in which session and repository; "
    "mode changes; that MCP servers connected; tokens and cost.",
    "Which command ran, which file or address was touched, and which MCP server it was: they are all called “custom”.",
)
DETAILS = Level(
    "details",
    "Tool details",
    "also commands, paths and MCP names; no prompt",
    ("logs", "metrics"),
    DECIDABLE,
    WITHHELD,
    "What Metadata does, and which commands ran, which files and addresses were touched, which MCP server was called.",
    "What people asked for and what the model replied. A command may hold what is secret: the portal takes out what it "
    "recognises.",
)
FULL = Level(
    "full",
    "Full detail",
    "also prompts and replies; state a purpose",
    ("logs", "metrics"),
    (*DECIDABLE, *WITHHELD),
    (),
    "What Tool details does, and what people asked for and the model replied.",
    "What files held before and after, and whole requests to the model: no level sends them.",
)
LEVELS = (METRICS, METADATA, DETAILS, FULL)
USUAL = DETAILS


def offered(scopes: Collection[str]) -> tuple[Level, ...]:
    """The levels that are of use with a token of these scopes: what is more than counts takes events."""
    return tuple(level for level in LEVELS if ("metrics" if level is METRICS else "logs") in scopes)


@dataclass(frozen=True, slots=True)
class Interval:
    """How often counts are sent. Events always go every five seconds: what waits is lost when a machine dies."""

    slug: str
    title: str
    milliseconds: int


INTERVALS = (
    Interval("minute", "every minute", 60_000),
    Interval("five-minutes", "every five minutes", 300_000),
    Interval("hour", "every hour", 3_600_000),
)
LOGS_INTERVAL_MS = 5000
