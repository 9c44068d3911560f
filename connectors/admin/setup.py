"""What a token's page shows to be pasted: Claude Code's settings by level and place, a Collector's, other agents'."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from connectors import snippets
from connectors.models import Token
from connectors.snippets import collector, helper

PLACEHOLDER = "<token>"


@dataclass(frozen=True, slots=True)
class Shown:
    """A level with its settings in every form. `snippet` is the JSON, cut to be marked; `by_place` more forms."""

    level: snippets.Level
    settings_id: str
    snippet: list[tuple[str, str, str]]
    arrivals: list[snippets.Arrival]
    by_place: dict[str, list[snippets.Artefact]]
    helper: tuple[snippets.Artefact, snippets.Artefact]
    doubt: str


@sensitive_variables("secret")
def setup(token: Token, secret: str) -> dict[str, Any]:
    """The context of includes/setup.html, with `secret` in what is to be pasted."""
    endpoint = settings.OTLP_PUBLIC_URL
    taken = _taken(token)
    usual = snippets.USUAL if "logs" in taken else snippets.LEVELS[0]
    levels = [_shown(token, level, usual, endpoint, secret, taken) for level in snippets.offered(taken)]
    return {
        "endpoint": endpoint,
        "local_only": snippets.is_local(endpoint),
        "levels": levels,
        "usual": usual.slug,
        # the usual one first: it is what stands at the top where nothing can be chosen
        "level_texts": sorted(levels, key=lambda each: each.level is not usual),
        "intervals": snippets.INTERVALS,
        "places": snippets.PLACES,
        "unset": snippets.UNSET,
        "unseen": snippets.UNSEEN,
        "helper_scripts": helper.scripts(),
        "helper_paths": (helper.UNIX_SCRIPT, helper.UNIX_TOKEN, helper.WINDOWS_SCRIPT, helper.WINDOWS_TOKEN),
        "collector": snippets.Artefact("collector", "Collector", _collector(endpoint, taken), "agent-governance.yaml"),
        "collector_variable": collector.VARIABLE,
        "agents": snippets.agents(endpoint, secret, taken),
        "reachability": snippets.reachability(endpoint, secret),
        "probe_url": reverse("admin:connectors_probe", args=[token.pk]),
    }


def _taken(token: Token) -> tuple[str, ...]:
    """The signals that the receiver takes with this token: its own, less what its source refuses."""
    by_source = {"logs": {"logs"}, "metrics": {"metrics"}}
    wanted = by_source.get(token.source.signals if token.source else "all", {"logs", "metrics"})
    return tuple(each for each in token.scopes if each in wanted)


def _collector(endpoint: str, taken: tuple[str, ...]) -> str:
    return collector.config(endpoint, signals=[each for each in ("logs", "metrics") if each in taken])


def _shown(
    token: Token, level: snippets.Level, usual: snippets.Level, endpoint: str, secret: str, taken: tuple[str, ...]
) -> Shown:
    team = token.source.team if token.source else ""
    text = snippets.claude_code(endpoint, secret, taken, level, team=team)
    scheme = json.loads(text)
    return Shown(
        level,
        "snippet" if level is usual else f"{level.slug}-settings",
        list(snippets.marked(text)),
        snippets.arriving(level),
        {
            "macos": [snippets.profile(endpoint, scheme)],
            "windows": [snippets.registry_file(scheme), snippets.registry_script(scheme)],
            "shell": [snippets.shell(scheme["env"])],
        },
        helper.settings(snippets.environment(endpoint, None, taken, level, team=team)),
        _doubt(token, level),
    )


def _doubt(token: Token, level: snippets.Level) -> str:
    """What about this token's source speaks against the level."""
    drops = token.source is not None and token.source.content == "drop"
    if drops and level.slug in {"details", "full"}:
        return "This source drops content: commands, paths and texts would be sent, and not be kept."
    return ""
