"""report.html: the page of a pack for people. It is the word of the portal; the verifier says what is proved."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from audit import unseen
from audit.checkpoints import Published
from audit.listing import words
from audit.models import EvidencePack, Gap, Session
from audit.packs.tally import Tally
from audit.vocabulary import Grade

MOST_GAPS = 200
_PARTS = {
    "subject": "who it was (identity)",
    "origin": "what sent it (client, version, team, repository)",
    "facts": "the facts",
    "content": "the content (prompts, commands, tool input)",
}


@dataclass(frozen=True, slots=True)
class Extent:
    """`first` and `last` are numbers of the ledger, `size` is how many events the checkpoint covers."""

    first: int
    last: int
    events: int
    size: int


def render(
    pack: EvidencePack, extent: Extent, unsigned: int, tally: Tally, published: Published, made_at: dt.datetime
) -> str:
    """The page: one file without script or address. Everything that came from outside is escaped by the template."""
    session = Session.objects.select_related("subject").filter(pk=pack.session).first() if pack.session else None
    gaps = list(Gap.objects.filter(session=session.pk).order_by("at", "id")[:MOST_GAPS]) if session else []
    return render_to_string(
        "audit/pack/report.html",
        {
            "pack": pack,
            "made_at": made_at,
            "extent": extent,
            "session": _session(session, pack) if session else (),
            "completeness": list(completeness(pack, extent, unsigned, session)),
            "gaps": gaps,
            "kinds": tally.kinds.most_common(),
            "hidden": list(hidden(tally)),
            "steps": tally.steps,
            "steps_left_out": tally.steps_left_out,
            "several_sessions": pack.kind != EvidencePack.Kind.SESSION,
            "unseen": [(agent, unseen.by(agent)) for agent in tally.of_agents],
            "checkpoint": published,
            "signed_at": _moment(published.head.at),
            "root": published.head.root.hex(),
        },
    )


def completeness(pack: EvidencePack, extent: Extent, unsigned: int, session: Session | None) -> Iterator[str]:
    """What can be said of what is not in it, sentence by sentence."""
    if pack.kind == EvidencePack.Kind.RANGE:
        yield (
            f"Every number from #{extent.first} to #{extent.last} is in this pack. The ledger proves that none was "
            "left out: the verifier says “no event between the first and the last is missing”."
        )
        yield (
            "That holds for what reached the portal. What an agent did not send, or what was lost on its way, has no "
            "number."
        )
        return
    what = "session" if pack.kind == EvidencePack.Kind.SESSION else "selection"
    yield (
        f"Of {_events(extent.events)} it is proved that the ledger holds them as they are shown. That the {what} is "
        "complete cannot be proved by the ledger: an event that was left out of this pack would leave no trace in it. "
        "A pack of a range of numbers proves that none is missing."
    )
    if unsigned:
        are = "is" if unsigned == 1 else "are"
        yield (
            f"{_events(unsigned)} of the session had no number under the signed checkpoint when this pack was made, "
            f"and {are} not in it."
        )
    if session is not None:
        yield numbering(session)


def numbering(session: Session) -> str:
    """What the agent's own numbering of its events says is missing."""
    by = "By the agent's own numbering,"
    missing = f"{_events(session.missing)} of the session {'is' if session.missing == 1 else 'are'} missing"
    if session.grade == Grade.UNJUDGED:
        so_far = f" So far, {missing}." if session.missing else ""
        return f"{by} the session is unjudged: {_lower(words.UNJUDGED)}.{so_far}"
    return {
        Grade.NO_NUMBERS: "The agent does not number its events, so nothing tells whether it sent all of them.",
        Grade.COMPLETE: f"{by} no event of the session is missing between its first and its last.",
        Grade.SMALL_GAPS: f"{by} {missing}; what happened there is not known.",
        Grade.FRAGMENTS: f"{by} {missing}: the session is in fragments.",
    }[session.grade]


def hidden(tally: Tally) -> Iterator[str]:
    """What its events hold that the pack does not show, and why."""
    for name, count in sorted(tally.withheld.items()):
        yield f"Withheld in {_events(count)}: {_PARTS[name]}. A commitment stands in its place, and the proof holds."
    for name, count in sorted(tally.erased.items()):
        yield f"Erased in {_events(count)}: {_PARTS[name]}. An event of the portal says so, and is in this pack."
    if tally.purged:
        yield f"Purged: {_events(tally.purged)}. An event of the portal says so; numbers and hashes are left of them."
    for rule, count in sorted(tally.secrets.items()):
        times = "once" if count == 1 else f"{count} times"
        yield f"A secret of the kind “{rule}” was replaced before anything was stored, {times}."
    if not (tally.withheld or tally.erased or tally.purged or tally.secrets):
        yield "Nothing is withheld or erased, and no secret was replaced."


def _session(session: Session, pack: EvidencePack) -> Sequence[tuple[str, Any]]:
    """The head of a session; what the client says of itself is a claim."""
    subject = session.subject
    person = "not known" if subject is None else subject.label if pack.with_identity else subject.pseudonym
    agent = f"{session.agent} {session.service_version or ''}".strip()
    named: Iterable[tuple[str, Any]] = (
        ("Session", session.session_id),
        ("Agent", agent),
        ("Person, as claimed" if pack.with_identity else "Person, by pseudonym", person),
        ("Repository, as claimed", session.repository),
        ("Team, as claimed", session.team),
        ("First event", _moment(int(session.first_at.timestamp()))),
        ("Last event", _moment(int(session.last_at.timestamp()))),
        ("Decisions", _decisions(session.decisions)),
    )
    return [(label, value) for label, value in named if value]


def _decisions(counted: Mapping[str, int]) -> str:
    """`3 accepted by person, 1 rejected by policy`"""
    told = []
    for key, count in sorted(counted.items(), key=lambda item: -item[1]):
        decision, _, decided_by = key.partition(":")
        told.append(f"{count} {_lower(words.verdict(decision, decided_by).words)}")
    return ", ".join(told)


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _events(count: int) -> str:
    return f"{words.number(count)} event{'' if count == 1 else 's'}"


def _moment(seconds: int | None) -> str:
    return "not stated" if seconds is None else f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
