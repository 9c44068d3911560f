"""A process that pulls, as a worker's does: started by a fork server that has loaded Django already, as each of many
would otherwise take seconds to begin."""

import os
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from connectors.pulls import work  # noqa: E402
from connectors.vendors import registry  # noqa: E402


def pull(database: str, vendor_url: str, keys: Path, log: Path) -> None:
    """Works until nothing is due."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for alias in connections:
        connections[alias].settings_dict["NAME"] = database
    settings.CONNECTORS_KEY_FOLDER = keys
    settings.CONNECTORS_LEASE_SECONDS = 1
    settings.CONNECTORS_REQUESTS_PER_MINUTE = 60_000
    for slug, vendor in registry.VENDORS.items():
        registry.VENDORS[slug] = type(vendor)(vendor_url)
    work.do_due(600)
