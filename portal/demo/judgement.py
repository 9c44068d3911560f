"""Who allows what: how a call is decided, by person, rule or mode (wire-claude-code.md A6)."""

from dataclasses import replace

from portal.demo.calls import EDITORS, Call
from portal.demo.claude import Claude
from portal.demo.work import READING, REFUSED_BY_RULE, SAFE

PERMISSIVE = frozenset({"bypassPermissions"})


class Judgement:
    """The rules of one process and what its person has allowed for good so far."""

    def __init__(self, claude: Claude) -> None:
        self.claude = claude
        self._always: set[str] = set()

    def of(self, call: Call) -> Call:
        """The call with its decision."""
        command = call.input.get("command", "") if call.tool == "Bash" else ""
        if command.startswith(REFUSED_BY_RULE):
            return replace(call, accepted=False)
        if call.tool in READING or command.split(" ")[0] in SAFE or self._mode_allows(call):
            return self._by_mode(call)
        return self._headless(call) if self.claude.person.headless else self._asked(call)

    def _mode_allows(self, call: Call) -> bool:
        mode = self.claude.mode
        return mode in ("auto", "bypassPermissions") or (mode == "acceptEdits" and call.tool in EDITORS)

    def _by_mode(self, call: Call) -> Call:
        if self.claude.mode == "auto" and call.tool == "Bash":
            return replace(call, verdict="allow")
        return call

    def _headless(self, call: Call) -> Call:
        """A rule of the user's settings allows it, or nobody is there to ask."""
        if self.claude.rng.random() < 0.06:
            return replace(call, accepted=False)
        return replace(call, source="user_permanent" if call.tool == "Bash" else "config")

    def _asked(self, call: Call) -> Call:
        rng = self.claude.rng
        subject = call.server.name if call.server else call.input.get("command", call.tool)
        if subject in self._always:
            return call
        waited = rng.choice((2.1, 3.4, 4.8, 7.5, 12.0, 31.0, 95.0))
        chance = rng.random()
        if chance < 0.07:
            return replace(call, source="user_reject", accepted=False, waited=waited)
        if chance < 0.22:
            self._always.add(subject)
            return replace(call, source="user_permanent", waited=waited)
        if chance < 0.3 and call.tool in EDITORS and self.claude.modern:
            self.claude.mode = "acceptEdits"  # "for this session": no event says so, the next decisions do
        return replace(call, source="user_temporary", waited=waited)
