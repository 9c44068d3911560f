"""Celery as the portal sets it: nothing but JSON, schedules from the database, and no message that must arrive."""

import pytest
from celery import shared_task
from kombu.exceptions import ContentDisallowed
from kombu.serialization import dumps, loads

from portal.celery import app


def test_it_reads_its_settings_from_django() -> None:
    expected = {
        "beat_scheduler": "django_celery_beat.schedulers:DatabaseScheduler",
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "timezone": "UTC",
        "enable_utc": True,
    }
    assert {name: app.conf[name] for name in expected} == expected


def test_it_unpickles_nothing() -> None:
    content_type, encoding, payload = dumps({"harmless": True}, serializer="pickle")
    with pytest.raises(ContentDisallowed):
        loads(payload, content_type, encoding, accept=app.conf.accept_content)


def test_the_tasks_of_the_apps_are_its_own() -> None:
    @shared_task(name="tests.of_an_app")
    def task() -> None: ...

    assert task.app is app
    del app.tasks["tests.of_an_app"]
