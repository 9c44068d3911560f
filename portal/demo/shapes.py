"""Attributes that every start of a process repeats, as captured."""

from typing import Any

MANAGED_SETTINGS: dict[str, Any] = {
    "managed_settings.trigger": "startup",
    "managed_settings.sources": ["file"],
    "managed_settings.source_behavior": "first-wins",
    "managed_settings.helper.state": "none",
    "managed_settings.helper.applied": "none",
}


def _plugin(name: str, digest: str) -> dict[str, Any]:
    return {
        "plugin.name": name,
        "marketplace.name": "builtin",
        "plugin.scope": "default-bundle",
        "enabled_via": "default-enable",
        "plugin_id_hash": digest,
        "has_hooks": True,
        "has_mcp": False,
        "host_owned_mcp": False,
        "skill_path_count": 0,
        "command_path_count": 0,
        "agent_path_count": 0,
        "safe_mode": "false",
    }


PLUGINS = (
    _plugin("cc-plugin-agents-md", "da63145d0acbb62d"),
    _plugin("cc-plugin-privacy", "a2f27f067781660d"),
    _plugin("cc-plugin-plugin-authoring", "559932fe5f722b82"),
)
