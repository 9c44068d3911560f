"""Claude Enterprise: Anthropic's Enterprise Analytics API, read with a key of scope read:analytics."""

from connectors.vendors.anthropic_analytics.client import AnthropicAnalytics

__all__ = ["AnthropicAnalytics"]
