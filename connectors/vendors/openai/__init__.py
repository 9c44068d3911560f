"""OpenAI: an organisation's usage and costs, read with an Admin key."""

from connectors.vendors.openai.client import OpenAI

__all__ = ["OpenAI"]
