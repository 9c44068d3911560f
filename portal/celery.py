"""The Celery app. Tasks are `@shared_task`s in the apps' `tasks.py`; schedules live in the database (beat).

A message is a hint that may be lost or repeated: the work it points to is a row in PostgreSQL.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
