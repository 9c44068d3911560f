"""How sessions live and die: resumed, cleared, compacted, killed, with subagents, very long, of an old version."""

import datetime as dt
import itertools
import random

from portal.demo.calls import Call
from portal.demo.cases.case import Case, Played, bash, edit, played, read
from portal.demo.cast import AIKO, CARLA, DANA, IVAN, LEDGER, PAYMENTS, SHOP, TICKETS, TOMAS
from portal.demo.claude import Claude
from portal.demo.judgement import Judgement
from portal.demo.process import Process
from portal.demo.work import jobs


def resumed(at: dt.datetime, rng: random.Random) -> Played:
    """The new process opens with a throw-away session id before the old one takes over; its sequence begins again."""
    first = Claude(TOMAS, SHOP, at, rng)
    first.start()
    first.prompted("Move the cart total into a hook")
    first.use(edit(first, "src/cart/useCart.ts", "let total", "const total", source="user_temporary", waited=4))
    first.responded("The total lives in useCart now.")
    second = Claude(TOMAS, SHOP, first.at + dt.timedelta(hours=2), rng)
    second.start(start_type="continue")
    second.session_id = first.session_id
    second.prompted("Go on where we were: now the tests")
    second.use(bash("npm test -- cart", "Run the cart's tests", source="user_temporary", waited=3, took=9))
    second.responded("All tests of the cart pass.")
    return Played((first, second), first.session_id)


def cleared(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(AIKO, SHOP, at, rng)
    claude.start((TICKETS,))
    claude.prompted("What does the checkout form validate?")
    claude.use(read(claude, "src/checkout/Form.tsx"))
    claude.responded("It validates the address and the card number, not the e-mail.")
    first = claude.session_id
    claude.prompted("/clear", "clear")
    claude.session_id = claude.uuid()
    claude.prompted("Validate the e-mail as well")
    claude.use(
        edit(claude, "src/checkout/Form.tsx", "required", "required type='email'", source="user_temporary", waited=6)
    )
    claude.responded("The e-mail is validated now.")
    return Played((claude,), first)


def compacted(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(DANA, LEDGER, at, rng)
    claude.start()
    for job in itertools.islice(jobs(LEDGER, rng), 3):
        claude.prompted(job.prompt)
        claude.responded(job.answer)
    claude.prompted("/compact", "compact")
    claude.wait(9)
    numbers = {
        "duration_ms": "8934",
        "pre_tokens": "151220",
        "post_tokens": "14876",
        "precompute_reuse": "miss_not_ready",
    }
    claude.emit("compaction", {"trigger": "manual", "success": "true", **numbers})
    claude.emit(
        "skill_activated",
        {"skill.name": "release-notes", "invocation_trigger": "user-slash", "skill.source": "projectSettings"},
    )
    claude.prompted("Write the release notes")
    claude.emit("at_mention", {"mention_type": "file", "success": "true"})
    claude.responded("The release notes name four changes.")
    claude.emit("auth", {"action": "logout", "success": "true", "auth_method": "oauth"})
    return played(claude)


def killed(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(TOMAS, SHOP, at, rng)
    claude.start()
    claude.prompted("Build for production and measure the bundle")
    claude.use(bash("npm run build", "Build", source="user_temporary", waited=2.8, took=22))
    claude.use(
        bash(
            "node --max-old-space-size=16000 scripts/measure.js",
            "Measure",
            source="user_temporary",
            waited=4,
            dies=True,
        )
    )
    return played(claude)


def delegated(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(DANA, PAYMENTS, at, rng, mode="acceptEdits")
    claude.start()
    claude.prompted("Have the refund flow reviewed for correctness and for card data in logs, then fix what is found")
    claude.delegated(
        "general-purpose",
        "Review the refund flow",
        (
            read(claude, "src/payments/refunds.py"),
            bash("rg -n 'refund' src", "Find refunds"),
            bash("ls src/payments", "List"),
        ),
    )
    claude.delegated(
        "pci-reviewer",
        "Check for card data in logs",
        (
            bash("rg -n 'card_number' src", "Find card numbers"),
            bash("curl -s https://pastebin.example/raw/1", "Compare", accepted=False),
        ),
        builtin=False,
    )
    claude.use(edit(claude, "src/payments/refunds.py", "log.info(card)", "log.info(card.last_four)"))
    claude.responded("One finding, fixed: the card number stood in a log line.")
    return played(claude)


def of_old_version(at: dt.datetime, rng: random.Random) -> Played:
    """2.1.197 says neither mode nor entry point; a hook, a rule and an MCP server without its own source."""
    claude = Claude(IVAN, PAYMENTS, at, rng)
    claude.start((PAYMENTS.servers[0],))
    claude.prompted("Which refunds are stuck?")
    claude.hooked("PreToolUse:Bash")
    claude.use(bash("git status --short", "Look at the tree"))
    claude.use(bash("curl http://refunds.internal/stuck", "Ask the service", accepted=False))
    claude.use(
        Call(
            "query",
            {"sql": "select count(*) from refunds where state = 'stuck'"},
            server=PAYMENTS.servers[0],
            source="user_permanent",
        )
    )
    claude.responded("Seventeen refunds are stuck.")
    return played(claude)


def unknown_entry(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(CARLA, CARLA.repositories[0], at, rng)
    claude.start()
    claude.prompted("Raise the minimum SDK")
    claude.use(edit(claude, "app/build.gradle.kts", "minSdk = 26", "minSdk = 28", source="user_temporary", waited=5))
    claude.use(bash("./gradlew assembleDebug", "Build", source="user_reject", accepted=False, waited=3))
    claude.responded("The minimum SDK is 28; it was not built.")
    return played(claude)


def long_day(at: dt.datetime, rng: random.Random) -> Played:
    claude = Claude(DANA, PAYMENTS, at, rng)
    claude.start(PAYMENTS.servers)
    judgement = Judgement(claude)
    for job in itertools.islice(jobs(PAYMENTS, rng), 60):
        claude.prompted(job.prompt)
        for call in job.calls:
            claude.use(judgement.of(call))
        claude.responded(job.answer)
        claude.wait(rng.choice((5, 20, 60)))
    return played(claude)


def at_once(at: dt.datetime, rng: random.Random) -> Played:
    """Two terminals of one person at the same time."""
    processes: list[Process] = []
    for minutes in (0, 3):
        claude = Claude(AIKO, SHOP, at + dt.timedelta(minutes=minutes), rng, mode="acceptEdits")
        claude.start()
        claude.prompted("Translate the checkout")
        for file in SHOP.files[:3]:
            claude.use(edit(claude, file, "'Pay now'", "t('pay')"))
            claude.wait(50)
        claude.responded("Translated.")
        processes.append(claude)
    return Played(tuple(processes), processes[-1].session_id)


CASES = (
    Case("resumed after two hours: two processes, one session", 7, 9, resumed),
    Case("/clear: the sequence goes on into the next session", 10, 10, cleared),
    Case("compaction, a skill, a log-out", 12, 16, compacted),
    Case("killed in the middle of a command: no result", 11, 17, killed),
    Case("subagents, one of them refused a download", 1, 13, delegated),
    Case("Claude Code 2.1.197: no mode, no entry point", 6, 8, of_old_version),
    Case("an entry point that is not told", 13, 12, unknown_entry),
    Case("a long day: some hundred tool uses, several pages", 1, 7, long_day),
    Case("two terminals at once", 14, 11, at_once),
)
