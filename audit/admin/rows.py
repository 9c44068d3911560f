"""Rows of a timeline as they are drawn: one look for each kind, the words in one place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit import parts
from audit.admin import telling
from audit.admin.rights import Rights
from audit.export.native import ERASED
from audit.listing import markup, words
from audit.models import Event
from audit.timeline.rows import GAP_ROW, TOOL_USE, Row
from audit.vocabulary import Kind


@dataclass(slots=True)
class Drawn:
    """One row, ready for the template. `layout` is use, aside, error, mode or gap; `select` leads to it on this page,
    `panel` to what the side panel says of it."""

    row: Row
    layout: str
    css: str
    icon: str
    title: str
    words: str
    label: str = ""
    outcome: str = ""
    current: bool = False
    select: str = ""
    panel: str = ""

    @property
    def url(self) -> str:
        """The event's permanent address."""
        return telling.event_url(self.row.id)

    @property
    def anchor(self) -> str:
        return f"e{self.row.id.hex}"

    @property
    def number(self) -> str:
        return f"#{words.number(self.row.seq)}" if self.row.seq is not None else "not yet"

    @property
    def when(self) -> SafeString:
        received = self.row.received_at
        notes = [
            f"Received {received:%Y-%m-%d %H:%M:%S}.{received.microsecond // 1000:03d} UTC" if received else "",
            f"Sealed {self.row.sealed_at:%H:%M:%S} UTC" if self.row.sealed_at else "",
            "The client’s clock cannot be right: this is when it was received" if "skew" in self.row.flags else "",
        ]
        return markup.time(self.row.at, "clock", "\n".join(filter(None, notes)))


def drawn(row: Row, rights: Rights, mode: str | None) -> Drawn:
    """`mode` is the mode in force, for the coloured edge of rows that state none themselves."""
    edge = f"in-{words.mode_class(row.mode or mode)}" if row.mode or mode else ""
    draw = _DRAWERS.get(row.kind, _other)
    found = draw(row, rights)
    found.css = " ".join(filter(None, (edge if found.layout not in ("mode", "gap") else "", found.css)))
    return found


def _use(row: Row, rights: Rights) -> Drawn:
    css = " ".join(filter(None, ("is-rejected" if row.decision == "reject" else "", "sub" if row.agent_id else "")))
    label = format_html(
        '{}{}{}<span class="visually-hidden">under mode {}</span>',
        markup.badge(row.decision, row.decided_by, row.basis),
        telling.grant(row.grant, row.waited_ms),
        markup.tag(f"1 of {row.decisions} decisions") if row.decisions > 1 else "",
        markup.visible(row.mode or "not known"),
    )
    return Drawn(
        row, "use", css, "", telling.tool(row), _input(row), label, markup.outcome(row.outcome, row.duration_ms)
    )


def _input(row: Row) -> SafeString:
    """The command, path or telling words of a tool's input; else why there are none."""
    if row.content:
        text = row.content.command or row.content.path or row.content.text or row.content.host
        if text:
            return _command(text)
    if row.has_content and row.content is None:
        return telling.SEALED
    if ERASED in row.flags:
        return telling.ERASED
    refused = row.decision in ("reject", "cancel") and row.tool_name not in ("Bash", None)
    return _quiet("input is not sent for a refused call" if refused else "input not sent")


def _command(text: str) -> SafeString:
    return format_html(
        '<code class="cmd truncate" title="{}">{}</code>', markup.visible_plain(text), markup.visible(text)
    )


def _quiet(text: str) -> SafeString:
    return format_html('<span class="cmd truncate faint">{}</span>', text)


def _told(*told: Any) -> SafeString:
    """Facts in a row, with dots between them."""
    shown = format_html_join(" · ", "{}", ((markup.visible(each),) for each in told if each))
    return format_html('<span class="cmd truncate">{}</span>', shown)


def _text(row: Row) -> str:
    return (row.content.text or "") if row.content else ""


def _mode_change(row: Row, rights: Rights) -> Drawn:
    title = format_html(
        "<span>Mode {} → <b>{}</b></span>",
        markup.visible(row.from_mode or "?"),
        markup.visible(row.to_mode or "not known"),
    )
    how = row.trigger.replace("_", "+", 1) if row.trigger == "shift_tab" else row.trigger
    told = " · ".join(filter(None, (how or "no trigger named", "stated by the client")))
    return Drawn(
        row, "mode", f"modechange seg {words.mode_class(row.to_mode)}", "mode", title,
        format_html('<span class="grant">{}</span>', markup.visible(told)),
    )  # fmt: skip


def _connection(row: Row, rights: Rights) -> Drawn:
    ran = words.milliseconds(row.duration_ms) if row.duration_ms is not None else ""
    lived = row.mcp_status == "disconnected"
    told = _told(
        row.mcp_transport, row.mcp_scope and f"scope {row.mcp_scope}", lived and ran and f"lived {ran}", _text(row)
    )
    kind, said = {
        "connected": ("ok", f"connected {ran}"),
        "failed": ("bad", f"failed · {row.error}" if row.error else "failed"),
    }.get(row.mcp_status or "", ("off", row.mcp_status or "status not sent"))
    server = markup.visible(row.mcp_server) if row.mcp_server else telling.HIDDEN_SERVER
    return Drawn(row, "aside", "aside", "plug", server, told, _kind("MCP connection"), markup.state(kind, _plain(said)))


def _api_error(row: Row, rights: Rights) -> Drawn:
    titles = {"api_retries_exhausted": "API retries exhausted", "api_refusal": "Model refused"}
    tries = parts.number_of(row.facts, "total_attempts") or parts.number_of(row.facts, "attempt")
    told = " · ".join(filter(None, (row.error, f"{tries} tries" if tries and tries > 1 else "")))
    title = titles.get(row.event_name or "", "API error")
    return Drawn(
        row, "error", "err aside", "warn", title, _told(_text(row) or row.model), "",
        markup.state("bad", _plain(told or "failed")),
    )  # fmt: skip


def _auth(row: Row, rights: Rights) -> Drawn:
    state = markup.state(*{"success": ("ok", "success"), "failure": ("bad", _plain(row.error or "failed"))}.get(
        row.outcome or "", ("off", "result not sent")
    ))  # fmt: skip
    told = _told(row.facts.get("action"), row.facts.get("auth_method"))
    return Drawn(row, "aside", "aside", "key", "Log-in", told, _kind("Authentication"), state)


def _compaction(row: Row, rights: Rights) -> Drawn:
    before, after = (parts.number_of(row.facts, key) for key in ("pre_tokens", "post_tokens"))
    shrunk = (
        f"{words.number(before)} → {words.number(after)} tokens" if before is not None and after is not None else ""
    )
    return Drawn(
        row, "aside", "aside", "list", "Conversation compacted",
        _told(row.facts.get("trigger") or row.trigger, shrunk), _kind("Compaction"),
        markup.outcome(row.outcome, row.duration_ms),
    )  # fmt: skip


def _subagent(row: Row, rights: Rights) -> Drawn:
    uses, tokens = (parts.number_of(row.facts, key) for key in ("total_tool_uses", "total_tokens"))
    told = _told(
        row.facts.get("agent_type"),
        words.counted(uses, "tool use") if uses is not None else "",
        words.counted(tokens, "token") if tokens is not None else "",
    )
    ran = markup.state("ok", words.milliseconds(row.duration_ms)) if row.duration_ms is not None else ""
    css = "aside sub" if row.agent_id else "aside"
    return Drawn(row, "aside", css, "users", "Subagent finished", told, _kind("Subagent"), ran)


def _skill(row: Row, rights: Rights) -> Drawn:
    told = _told(row.facts.get("skill.name"), row.facts.get("skill.source"), row.facts.get("invocation_trigger"))
    return Drawn(row, "aside", "aside", "grid", "Skill", told, _kind("Skill activated"))


def _policy(row: Row, rights: Rights) -> Drawn:
    sources = row.facts.get("managed_settings.sources")
    told = {
        "managed_settings_resolved": (
            ", ".join(map(str, sources)) if isinstance(sources, list) and sources else "none found",
            row.facts.get("managed_settings.trigger"),
        ),
        "retention_sweep": (row.facts.get("result"), _counted(row, "transcripts_deleted", "transcripts deleted")),
        "safety_event": (row.facts.get("category"), row.decision or row.facts.get("decision")),
    }.get(row.event_name or "", ())
    titles = {
        "managed_settings_resolved": "Managed settings",
        "retention_sweep": "Transcript clean-up",
        "safety_event": "Safety event",
    }
    title = titles.get(row.event_name or "")
    return Drawn(
        row, "aside", "aside", "gear", title or name(row), _told(*told), _kind("Policy")
    )  # fmt: skip


def _counted(row: Row, key: str, what: str) -> str:
    count = parts.number_of(row.facts, key)
    return f"{count} {what}" if count is not None else ""


def _hook(row: Row, rights: Rights) -> Drawn:
    blocked = parts.number_of(row.facts, "num_blocking")
    state = markup.state("bad", f"{blocked} blocked") if blocked else ""
    told = _told(row.facts.get("hook_event"), row.facts.get("hook_name"), row.facts.get("hook_source"))
    return Drawn(row, "aside", "aside", "hook", name(row), told, _kind("Hook"), state)


def _gap(row: Row, rights: Rights) -> Drawn:
    missing = row.missing or 0
    where = (
        f"between {row.after} and {row.before} of this process"
        if row.after is not None
        else f"before {row.before}, at the beginning of this process"
    )
    title = format_html("<b>{} missing</b>", words.counted(missing, "event"))
    return Drawn(row, "gap", "gap", "warn", title, f"{where}. What happened here is not known.")


def _request(row: Row, rights: Rights) -> Drawn:
    cost = words.money(row.cost_usd) if row.cost_usd is not None else ""
    tokens = sum(filter(None, (row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_creation_tokens)))
    told = _told(row.model, row.query_source, words.counted(tokens, "token") if tokens else "", cost)
    ran = markup.state("ok", words.milliseconds(row.duration_ms)) if row.duration_ms is not None else ""
    return Drawn(row, "aside", "aside", "chain", name(row), told, _kind("API request"), ran)


def _other(row: Row, rights: Rights) -> Drawn:
    told = row.facts.get("plugin.name") or row.facts.get("mention_type")
    said = _command(_text(row)) if _text(row) else _sealed_or_erased(row) or _told(told)
    return Drawn(row, "aside", "aside", "list", name(row), said, _kind(telling.spoken(row.kind)))


def _sealed_or_erased(row: Row) -> SafeString | None:
    if row.has_content and not row.content:
        return telling.SEALED
    return telling.ERASED if ERASED in row.flags else None


def _extra(row: Row, rights: Rights) -> Drawn:
    """A second record on a tool use that another row tells of."""
    which = "Further decision" if row.kind == Kind.TOOL_DECISION else "Further result"
    label = (
        markup.badge(row.decision, row.decided_by, row.basis)
        if row.kind == Kind.TOOL_DECISION
        else _kind("Tool result")
    )
    outcome = markup.outcome(row.outcome, row.duration_ms) if row.kind == Kind.TOOL_RESULT else ""
    return Drawn(row, "aside", "aside", "list", telling.tool(row), _told(which), label, outcome)


def _kind(text: str) -> SafeString:
    return format_html('<span class="quiet">{}</span>', markup.visible(text))


def name(of: Row | Event) -> SafeString:
    """An event by the vendor's name for it, as words."""
    return markup.visible(telling.spoken(of.event_name or of.kind))


def _plain(text: Any) -> str:
    return markup.visible_plain(text)


_DRAWERS: dict[str, Callable[[Row, Rights], Drawn]] = {
    TOOL_USE: _use,
    GAP_ROW: _gap,
    Kind.MODE_CHANGE: _mode_change,
    Kind.MCP_CONNECTION: _connection,
    Kind.API_REQUEST: _request,
    Kind.API_ERROR: _api_error,
    Kind.AUTH: _auth,
    Kind.COMPACTION: _compaction,
    Kind.SUBAGENT: _subagent,
    Kind.SKILL: _skill,
    Kind.POLICY: _policy,
    Kind.HOOK: _hook,
    Kind.TOOL_DECISION: _extra,
    Kind.TOOL_RESULT: _extra,
}
