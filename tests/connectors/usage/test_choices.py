"""What the form offers is what user-days have, found without going through them."""

import datetime as dt

import pytest

from connectors.models import Identity, UsageDay
from connectors.usage import choices
from tests.connectors.usage.telling import TODAY, connection

pytestmark = pytest.mark.django_db
LONG_AGO = TODAY - dt.timedelta(days=400)


@pytest.fixture
def told():
    """Returns a function that stores a user-day."""
    identity = Identity.objects.create(kind="email", value="dana@acme.example", basis="vendor")

    def tell(day=TODAY, **more):
        return UsageDay.objects.create(day=day, identity=identity, **{"agent": "claude_code", **more})

    return tell


def test_nothing_is_offered_while_there_is_nothing():
    assert (choices.models(LONG_AGO), choices.teams(LONG_AGO), choices.feeds()) == ([], [], [])


def test_each_value_is_offered_once(told):
    held = sorted((connection("one"), connection("two")), key=lambda each: each.pk)
    for agent, model, team in (("codex", "", "b"), ("claude_code", "m", ""), ("codex", "n", "b"), ("codex", "m", "a")):
        told(agent=agent, model=model, team=team)
    for feed, endpoint in ((held[1], "users"), (held[0], "users"), (held[1], "claude_code")):
        told(connection=feed, endpoint=endpoint, agent="codex", model="m")
        told(connection=feed, endpoint=endpoint, agent="codex", model="n")
    assert choices.models(LONG_AGO) == [("claude_code", "m"), ("codex", ""), ("codex", "m"), ("codex", "n")]
    assert choices.teams(LONG_AGO) == ["", "a", "b"]
    assert choices.feeds() == [
        (held[0].pk, "users"), (held[1].pk, "claude_code"), (held[1].pk, "users")
    ]  # fmt: skip


def test_what_was_told_long_ago_alone_is_not_offered(told):
    told(day=LONG_AGO, model="old", team="old")
    told(day=LONG_AGO, model="kept", team="kept")
    told(model="kept", team="kept")
    since = LONG_AGO + dt.timedelta(days=1)
    assert choices.models(since) == [("claude_code", "kept")]
    assert choices.teams(since) == ["kept"]
