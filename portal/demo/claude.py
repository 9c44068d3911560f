"""What Claude Code says of its work: prompts, calls of the model, tool uses with their decisions, modes, MCP servers.

The attributes of each event, their types and their order are those of the captures of 2.1.329, and of 2.1.197 where
that one lacks some.
"""

import json
from typing import Any

from portal.demo import shapes
from portal.demo.calls import EDITORS, Call, Subagent
from portal.demo.cast import Server
from portal.demo.process import Process

REDACTED = "<REDACTED>"
_PRICES = {  # US dollars per million tokens: input, output, cache read, cache creation
    "claude-opus-5-5": (4.0, 20.0, 0.2, 5.0),
    "claude-sonnet-5-5": (2.0, 10.0, 0.1, 2.5),
    "claude-opus-4-8": (5.0, 25.0, 0.5, 6.25),
}


class Claude(Process):
    """A process with a permission mode and a model."""

    def __init__(self, *arguments: Any, mode: str = "default", model: str = "claude-opus-5-5", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.mode = mode
        self.model = model if self.modern else "claude-opus-4-8"
        self.effort = "medium" if self.modern else "high"
        self._attribution: dict[str, str] = {}

    def start(self, servers: tuple[Server, ...] = (), start_type: str = "fresh") -> None:
        """What a process says before anyone has asked it anything."""
        self.measure("session.count", 1, start_type=start_type)
        if self.modern:
            self.emit("managed_settings_resolved", shapes.MANAGED_SETTINGS)
            self.wait(0.3)
            for plugin in shapes.PLUGINS:
                self.emit("plugin_loaded", plugin)
        for server in servers:
            self.wait(0.06)
            self.connected(server)
        self.wait(1.5)

    def connected(self, server: Server, status: str = "connected", took: float = 0.066, **failure: str) -> None:
        self.emit(
            "mcp_server_connection",
            {
                "status": status,
                "transport_type": server.transport,
                "server_scope": server.scope,
                "duration_ms": str(round(took * 1000)),
                "is_plugin": False,
                "error_code": failure.get("code"),
                **self._detail({"server_name": server.name, "error": failure.get("error")}),
            },
        )

    def prompted(self, text: str, command: str = "", source: str = "builtin") -> None:
        """A new prompt, or a slash command."""
        self.prompt_id = self.uuid()
        shown = text if self.person.prompts else REDACTED
        specific = {"prompt_length": str(len(text)), "prompt": shown}
        if self.modern:
            specific["prompt_text"] = shown
        if command:
            specific |= {"command_name": command, "command_source": source}
        elif self.modern:
            specific["message.uuid"] = self.uuid()
        self.emit("user_prompt", specific)
        self.measure("active_time.total", 0.4 + len(text) / 40, type="user")

    def thought(self, request_id: str, agent: Subagent | None = None, seconds: float = 3.0) -> None:
        """One call of the model."""
        rng, (input_price, output_price, read_price, creation_price) = self.rng, _PRICES[self.model]
        sent, got = rng.randint(4, 2400), rng.randint(20, 1900)
        read, created = rng.choice((0, 18_200, 42_000, 96_000)), rng.choice((150, 800, 3_200, 9_000))
        micros = round(sent * input_price + got * output_price + read * read_price + created * creation_price)
        self.emit(
            "api_request",
            {
                "model": self.model,
                "input_tokens": sent,
                "output_tokens": got,
                "cache_read_tokens": read,
                "cache_creation_tokens": created,
                **({"cache_creation_5m_tokens": created, "cache_creation_1h_tokens": 0} if self.modern else {}),
                "cost_usd": micros / 1e6,
                "cost_usd_micros": micros,
                "duration_ms": round(seconds * 1000),
                **({"ttft_ms": rng.randint(180, 1400)} if self.modern else {}),
                "request_id": request_id,
                **self._circumstances(agent),
                **(_agent_names(agent) if agent else self._attribution),
            },
        )
        spent = {"input": sent, "output": got, "cacheRead": read, "cacheCreation": created}
        self._measure_spending(micros / 1e6, spent, "subagent" if agent else "main")
        if agent:
            agent.tokens += sent + got

    def _measure_spending(self, dollars: float, tokens: dict[str, int], source: str) -> None:
        known = {"model": self.model, "query_source": source, "effort": self.effort}
        self.measure("cost.usage", dollars, **known)
        for kind, number in tokens.items():
            self.measure("token.usage", number, **known, type=kind)

    def _circumstances(self, agent: Subagent | None = None) -> dict[str, str]:
        return {"speed": "normal", "query_source": self._query_source(agent), "effort": self.effort}

    def _query_source(self, agent: Subagent | None) -> str:
        if agent:
            return f"agent:builtin:{agent.kind}" if agent.builtin else "agent:custom"
        return "sdk" if self.person.headless else "repl_main_thread"

    def responded(self, text: str) -> None:
        """The model's last call of a turn and its reply."""
        request_id = self.request_id()
        self.wait(self.rng.uniform(1.5, 6))
        self.thought(request_id)
        specific = {"response_length": len(text), "response": text if self.person.prompts else REDACTED}
        message = {"message.uuid": self.uuid()} if self.modern else {}
        named = {"model": self.model, "query_source": self._query_source(None)}
        self.emit("assistant_response", {**specific, "request_id": request_id, **message, **named})
        self.measure("active_time.total", self.rng.uniform(5, 40), type="cli")

    def request_id(self) -> str:
        return self.token("req_011C", 20)

    def use(self, call: Call, agent: Subagent | None = None) -> None:
        """A tool use from the model's call to its result. The api_request comes before or after the decision."""
        request_id, tool_use_id = self.request_id(), self.token("toolu_01", 22)
        seconds = self.rng.uniform(1.2, 7)
        self.wait(seconds)
        early = self.rng.random() < 0.5
        if early:
            self.thought(request_id, agent, seconds)
        self.wait(call.waited)
        self._decided(call, request_id, tool_use_id, agent)
        if not early:
            self.wait(0.03)
            self.thought(request_id, agent, seconds)
        if call.accepted and not call.dies:
            self.wait(call.took)
            self.finished(call, request_id, tool_use_id, agent)
        if agent:
            agent.tool_uses += 1

    def _decided(self, call: Call, request_id: str, tool_use_id: str, agent: Subagent | None) -> None:
        decision = "accept" if call.accepted else "reject"
        parameters = call.parameters()
        specific = {
            "decision": decision,
            "source": call.source,
            **({"classifier_verdict": call.verdict} if call.verdict else {}),
            "tool_name": "mcp_tool" if call.server else call.tool,
            "tool_use_id": tool_use_id,
            "tool_source": ("mcp" if call.server else "builtin") if self.modern else None,
            **self._detail({"tool_parameters": parameters and _json(parameters)}),
            "permission_mode": self.mode if self.modern else None,
            "request_id": request_id if self.modern else None,
            "agent_id": agent.id if agent else None,
        }
        self.emit("tool_decision", specific)
        if call.tool in EDITORS:
            self.measure("code_edit_tool.decision", 1, tool_name=call.tool, decision=decision, source=call.source)

    def finished(self, call: Call, request_id: str, tool_use_id: str, agent: Subagent | None = None) -> None:
        parameters, given = call.parameters(), _json(call.input)
        if parameters and call.committed:
            parameters |= {"git_commit_id": call.committed[:7], "git_branch": "main"}
        error_type, error = call.error or (None, None)
        asked = self.modern and not self.person.headless
        specific = {
            "tool_name": "mcp_tool" if call.server else call.tool,
            "tool_use_id": tool_use_id,
            "success": "false" if call.error else "true",
            "duration_ms": str(round(call.took * 1000)),
            "error_type": error_type,
            **self._detail({"error": error, "tool_parameters": parameters and _json(parameters), "tool_input": given}),
            "tool_input_size_bytes": str(len(given.encode())),
            "tool_result_size_bytes": None if call.error else str(call.result_bytes),
            **(self._detail(_revision(call.committed)) if call.committed else {}),
            **({"decision_source": call.source, "decision_type": "accept"} if asked else {}),
            "mcp_server_scope": call.server.scope if call.server else None,
            "request_id": request_id if self.modern else None,
            "agent_id": agent.id if agent else None,
        }
        self.emit("tool_result", specific)
        self._attribution = {}
        if call.server:
            hidden = not self.person.details
            self._attribution = {
                "mcp_server.name": "custom" if hidden else call.server.name,
                "mcp_tool.name": "custom" if hidden else call.tool,
            }
        self._measure_result(call)

    def _measure_result(self, call: Call) -> None:
        if call.error:
            return
        if call.tool in EDITORS:
            self.measure("lines_of_code.count", self.rng.randint(1, 40), type="added", model=self.model)
            self.measure("lines_of_code.count", self.rng.randint(0, 15), type="removed", model=self.model)
        if call.committed:
            self.measure("commit.count", 1)
        if call.tool == "Bash" and call.input["command"].startswith("gh pr create"):
            self.measure("pull_request.count", 1)

    def delegated(self, kind: str, description: str, calls: tuple[Call, ...], *, builtin: bool = True) -> None:
        """An Agent tool use, with what the subagent did in it."""
        request_id, tool_use_id = self.request_id(), self.token("toolu_01", 22)
        task = {"description": description, "prompt": f"{description}. Report findings.", "subagent_type": kind}
        call = Call("Agent", task, took=4.0, result_bytes=788)
        self.wait(2)
        self._decided(call, request_id, tool_use_id, None)
        self.thought(request_id)
        agent = Subagent(kind, builtin, "a" + f"{self.rng.getrandbits(64):016x}", self.at)
        for each in calls:
            self.use(each, agent)
        self._completed(agent)
        self.finished(call, request_id, tool_use_id)

    def _completed(self, agent: Subagent) -> None:
        shown = agent.kind if agent.builtin or self.person.details else "custom"
        self.emit(
            "subagent_completed",
            {
                "agent_type": shown,
                "agent.source": "built-in" if agent.builtin else "projectSettings",
                "is_built_in": agent.builtin,
                "is_async": False,
                "total_tokens": agent.tokens,
                "total_tool_uses": agent.tool_uses,
                "duration_ms": round((self.at - agent.started_at).total_seconds() * 1000),
                "model": self.model,
                "final_model": self.model,
                "model_swapped": False,
                "agent_id": agent.id,
            },
        )

    def switched(self, to_mode: str, trigger: str | None = "shift_tab") -> None:
        """A change of the permission mode; an SDK host gives no trigger."""
        self.emit("permission_mode_changed", {"from_mode": self.mode, "to_mode": to_mode, "trigger": trigger})
        self.mode = to_mode

    def hooked(self, name: str, *, blocked: bool = False) -> None:
        """A hook's run around a tool use: PreToolUse:Bash and the like."""
        shared = {
            "hook_event": name.partition(":")[0],
            "hook_name": name,
            "num_hooks": "1",
        }
        surroundings = {"managed_only": "false", "hook_source": "merged", "safe_mode": "false"}
        self.emit("hook_execution_start", {**shared, **surroundings})
        self.wait(0.02)
        counts = {
            "num_success": "0" if blocked else "1",
            "num_blocking": "1" if blocked else "0",
            "num_non_blocking_error": "0",
            "num_cancelled": "0",
            "total_duration_ms": "21",
        }
        self.emit("hook_execution_complete", {**shared, **counts, **surroundings})

    def _detail(self, specific: dict[str, Any]) -> dict[str, Any]:
        """What only clients with OTEL_LOG_TOOL_DETAILS send."""
        return specific if self.person.details else {}


def _agent_names(agent: Subagent) -> dict[str, str]:
    return {"agent.name": agent.kind, "agent_id": agent.id}


def _revision(commit: str) -> dict[str, str]:
    return {"vcs.ref.head.revision": commit, "vcs.ref.head.name": "main", "vcs.ref.head.type": "branch"}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
