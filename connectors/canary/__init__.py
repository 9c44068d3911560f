"""Does what is sent to the public endpoint arrive as evidence? On a schedule (the canary), and when a person asks."""

from connectors.canary.record import CANARY, NAMES, PROBE

__all__ = ["CANARY", "NAMES", "PROBE"]
