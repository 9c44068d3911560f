"""Granian's target: `granian --interface rsgi ingest.receiver:application`, started by `manage.py receive`."""

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from ingest.receiving.receiver import Receiver  # noqa: E402 - Django's settings come first

gc.freeze()
gc.set_threshold(50_000, 20, 100)

application = Receiver()
