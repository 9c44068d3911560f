"""The portal's Celery app with a queue of a test's own for everything, so that a broker that others use, too, is left
as it was."""

import os

from portal.celery import app

app.conf.task_default_queue = os.environ["PORTAL_TEST_QUEUE"]
