"""What earlier records have shown about a session: did a person sit at it, or did a program drive it?

Claude Code without `app.entrypoint` tells that only on other events than the decision (DESIGN §4). So the receiver
remembers it, for a bounded number of sessions in each process; what it used goes into the draft's `known`.
"""

import threading
from collections import OrderedDict

from audit.decisions import SESSION_INTERACTIVE, SESSION_SDK, SESSION_UNKNOWN

REMEMBERED_SESSIONS = 50_000


class SessionMemory:
    """Session kinds by (source id, session id), least recently used forgotten first. Safe between threads."""

    def __init__(self, remembered: int = REMEMBERED_SESSIONS) -> None:
        self._remembered = remembered
        self._kinds: OrderedDict[tuple[int, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, source_id: int) -> "SessionKnowledge":
        """The knowledge of one source's sessions: what a sender says never counts for another's."""
        return SessionKnowledge(self, source_id)

    def learn(self, key: tuple[int, str], kind: str) -> None:
        """Note a kind. Once a program was seen at a session it stays so: a resumed session keeps its id."""
        with self._lock:
            if self._kinds.get(key) != SESSION_SDK:
                self._kinds[key] = kind
            self._kinds.move_to_end(key)
            if len(self._kinds) > self._remembered:
                self._kinds.popitem(last=False)

    def recall(self, key: tuple[int, str]) -> str:
        with self._lock:
            kind = self._kinds.get(key)
            if kind is None:
                return SESSION_UNKNOWN
            self._kinds.move_to_end(key)
            return kind


class SessionKnowledge:
    """One source's view of a `SessionMemory`."""

    def __init__(self, memory: SessionMemory, source_id: int) -> None:
        self._memory = memory
        self._source_id = source_id

    def learn(self, session_id: str | None, query_source: str | None, decision_repeated: bool = False) -> None:
        """Take in what one record shows: its `query_source`, and whether a tool_result repeats `decision_source`.

        Only interactive sessions repeat it (wire-claude-code.md A6).
        """
        if session_id is None:
            return
        if query_source == "sdk":
            self._memory.learn((self._source_id, session_id), SESSION_SDK)
        elif decision_repeated or (query_source is not None and query_source.startswith("repl_main_thread")):
            self._memory.learn((self._source_id, session_id), SESSION_INTERACTIVE)

    def kind(self, session_id: str | None) -> str:
        """One of the SESSION words of audit.decisions."""
        return SESSION_UNKNOWN if session_id is None else self._memory.recall((self._source_id, session_id))
