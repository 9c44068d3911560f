"""A vendor that is none: Anthropic's two interfaces and OpenAI's as a real HTTP server, with figures it can be held to.

    with FakeVendor(users=60, days=90) as vendor:
        AnthropicAdmin(base_url=vendor.url).fetch(vendor.keys.admin, "users", None, "")

By hand, for a demonstration: `python -m tests.vendor --port 9400`.
"""

from tests.vendor.faults import Fault
from tests.vendor.server import FakeVendor

__all__ = ["FakeVendor", "Fault"]
