"""The web process: admin, REST and health."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# What is loaded by now stays. The collector would look through all of it again and again, 200 ms in one page of twenty.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
