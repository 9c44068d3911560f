"""Claude Console (Claude Platform): Anthropic's Admin API, read with an Admin key."""

from connectors.vendors.anthropic_admin.client import AnthropicAdmin

__all__ = ["AnthropicAdmin"]
