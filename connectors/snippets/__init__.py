"""What people paste: settings that make agents send here, a Collector's that passes on, commands that read from here.

Pure: endpoint, token and choices in, texts out. What each level sends is in `levels` and `arrivals`.
"""

from connectors.snippets.agents import Agent, agents
from connectors.snippets.arrivals import UNSEEN, Arrival, arriving
from connectors.snippets.artefacts import Artefact, profile, registry_file, registry_script, shell
from connectors.snippets.claude import claude_code, environment, marked
from connectors.snippets.commands import Request, is_local, reachability, requests
from connectors.snippets.levels import (
    DECIDABLE,
    INTERVALS,
    LEVELS,
    UNSET,
    USUAL,
    WITHHELD,
    Interval,
    Level,
    Switch,
    offered,
)
from connectors.snippets.places import PLACES, Place

__all__ = [
    "DECIDABLE",
    "INTERVALS",
    "LEVELS",
    "PLACES",
    "UNSEEN",
    "UNSET",
    "USUAL",
    "WITHHELD",
    "Agent",
    "Arrival",
    "Artefact",
    "Interval",
    "Level",
    "Place",
    "Request",
    "Switch",
    "agents",
    "arriving",
    "claude_code",
    "environment",
    "is_local",
    "marked",
    "offered",
    "profile",
    "reachability",
    "registry_file",
    "registry_script",
    "requests",
    "shell",
]
