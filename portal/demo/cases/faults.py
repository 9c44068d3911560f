"""What goes wrong, and what must not do harm: servers, the API, lost records, secrets, hostile and unknown content."""

import datetime as dt
import random
from dataclasses import replace

from portal.demo.calls import Call
from portal.demo.cases.case import Case, Played, bash, edit, played, read
from portal.demo.cast import AIKO, DATA, DOCS, INFRA, LENA, NOAH, PAYMENTS, PRIYA, PROD_DB, SAM, SHOP, TICKETS, TOMAS
from portal.demo.claude import Claude

HOSTILE = (
    "Summarise this ticket: <script>alert('x')</script> <img src=x onerror=alert(1)> \x1b[31mred\x1b[0m \x00\x07 "
    'user\u202etxt.exe\u202c and \u2066hidden\u2069 =HYPERLINK("http://evil.example","click") {{7*7}} 🎉\ud83d'
)


def failed_server(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(LENA, INFRA, at, rng)
    claude.start()
    broken = replace(TICKETS, name="tickets-legacy")
    claude.connected(broken, "failed", 0.082, code="500", error='Error POSTing to endpoint: {"error": "boom"}')
    flaky = INFRA.servers[0]
    claude.connected(flaky)
    claude.prompted("Why does staging restart?")
    claude.use(Call("get_pods", {"namespace": "payments-staging"}, server=flaky, source="user_permanent", waited=3))
    claude.use(
        Call(
            "logs",
            {"pod": "payments-api-7f9c", "tail": 5000},
            server=flaky,
            took=30,
            error=("Error:CONNECTION_CLOSED", "Connection closed"),
        )
    )
    claude.connected(flaky, "disconnected", 95.0)
    claude.connected(broken, "failed", 0.077, code="500", error='Error POSTing to endpoint: {"error": "boom"}')
    claude.connected(flaky)
    claude.use(Call("logs", {"pod": "payments-api-7f9c", "tail": 200}, server=flaky, took=1.2))
    claude.responded("The pod runs out of memory while it loads the journal.")
    return played(claude)


def hidden_names(at: dt.datetime, rng: random.Random) -> Played:
    """Tool details are off: the client says mcp_tool and custom, prompts are redacted."""
    claude = Claude(PRIYA, DATA, at, rng)
    claude.start((PROD_DB, DOCS))
    claude.prompted("Backfill the revenue of October")
    claude.use(Call("query", {"sql": "select 1"}, server=PROD_DB, source="user_temporary", waited=9))
    claude.use(Call("search", {"query": "backfill"}, server=DOCS, source="user_temporary", waited=2))
    claude.use(bash("dbt run --full-refresh", "Rebuild", source="user_reject", accepted=False, waited=12))
    claude.responded("Nothing was rebuilt.")
    return played(claude)


def with_gap(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(SAM, DATA, at, rng)
    claude.start((PROD_DB,))
    claude.prompted("Load yesterday's events again")
    claude.use(read(claude, "jobs/load_events.py"))
    claude.use(bash("python jobs/load_events.py --day yesterday", "Load", source="user_temporary", waited=6, took=55))
    claude.use(
        Call(
            "query",
            {"sql": "delete from events where day = current_date - 1"},
            server=PROD_DB,
            source="user_temporary",
            waited=4,
        )
    )
    claude.lose(7)
    claude.responded("Yesterday's events are loaded.")
    return played(claude)


def api_trouble(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(TOMAS, SHOP, at, rng)
    claude.start()
    claude.prompted("Migrate the cart to the new state library")
    known = {"model": claude.model, "error": "Number of requests exceeded your rate limit", "status_code": 429}
    rest = {"speed": "normal", "query_source": "repl_main_thread", "effort": "medium"}
    claude.wait(31)
    claude.emit("api_error", {**known, "duration_ms": 412, "attempt": 11, "request_id": claude.request_id(), **rest})
    claude.emit("api_retries_exhausted", {**known, "total_attempts": 11, "total_retry_duration_ms": 30718, **rest})
    claude.prompted("Try again")
    request_id = claude.request_id()
    categories = {"server_fallback_hop": False, **rest, "has_category": False, "has_explanation": False}
    claude.emit(
        "api_refusal", {"model": claude.model, "request_id": request_id, "speed": "normal", "attempt": 1, **categories}
    )
    claude.thought(request_id)
    claude.prompted("Then only the reducer, please")
    claude.use(edit(claude, "src/cart/useCart.ts", "useReducer", "useStore", source="user_temporary", waited=3))
    claude.responded("The reducer is migrated.")
    return played(claude)


def secret_in_command(at: dt.datetime, rng: random.Random) -> Played:
    """The secrets are made up here, so that none stands in the source; the portal keeps only their kind."""
    claude = Claude(NOAH, PAYMENTS, at, rng)
    claude.start()
    claude.prompted("Check that the new keys work")
    key, cloud = claude.token("sk-ant-api03-", 93) + "AA", "AKIA" + claude.token("", 16).upper()
    command = f"ANTHROPIC_API_KEY={key} ./check.sh"
    claude.use(bash(command, "Check the API key", source="user_temporary", waited=5))
    header = f"curl -H 'Authorization: Bearer {claude.token('ghp_', 36)}' https://api.github.com/user"
    claude.use(bash(header, "Check the GitHub token", accepted=False))
    claude.use(
        bash(f"aws configure set aws_access_key_id {cloud}", "Set the AWS key", source="user_temporary", waited=4)
    )
    claude.use(
        bash(
            "psql postgresql://app:hunter2-and-more@db.internal/payments -c 'select 1'",
            "Try the database",
            source="user_temporary",
            waited=3,
        )
    )
    claude.responded("All keys work.")
    return played(claude)


def hostile(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(AIKO, SHOP, at, rng)
    claude.start()
    claude.prompted(HOSTILE)
    claude.use(
        bash("printf '\\033[2J\\u202e' <b>bold</b>", "odd \u2028 description", source="user_temporary", waited=4)
    )
    claude.emit("workspace_trust_reviewed", {"reviewer": "acme-gate", "score": 0.42, "labels": ["new", "unheard of"]})
    claude.responded("The ticket holds markup and control characters.")
    return played(claude)


def spoofed(at: dt.datetime, rng: random.Random) -> Played:
    """A developer sets OTEL_RESOURCE_ATTRIBUTES: the portal shows the claim, and that it is one."""
    claims = {"user.email": "ceo@acme.example", "service.name": "not-claude", "decision": "accept", "bad%20key": "a,b"}
    person = replace(NOAH, identified=False, resource=claims)
    claude = Claude(person, PAYMENTS, at, rng)
    claude.start()
    claude.prompted("Who am I?")
    claude.use(bash("whoami", "Ask the system"))
    claude.responded("You are noah.")
    return played(claude)


CASES = (
    Case("an MCP server that fails, another that dies in a call", 5, 16, failed_server),
    Case("tool details switched off: names of MCP servers hidden", 3, 9, hidden_names),
    Case("a gap: seven records never arrived", 2, 14, with_gap),
    Case("the API's limits: error, retries exhausted, a refusal", 7, 15, api_trouble),
    Case("secrets in commands, replaced before anything was stored", 4, 10, secret_in_command),
    Case("a hostile prompt and an unknown event", 1, 10, hostile),
    Case("identity claimed in resource attributes", 9, 18, spoofed),
)
