"""The same from a shell."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from audit.models import Content, Erasure, Hold, RetentionRule, Subject
from connectors.tokens.spelling import generate
from tests.factories import draft, evidence

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

EMAIL = "vera@acme.example"
WHY = {"reason": "Request 17 under Article 17", "by": "officer@acme.example"}


@pytest.fixture(autouse=True)
def _theirs():
    subject = (("@user.email", "string", EMAIL),)
    evidence(draft("prompt", subject=subject, session_id="v-1", content=[("@prompt", "string", "plans of Vera's")]))


def said(name: str, *arguments: str, **options) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


def test_a_person_is_erased_only_when_it_is_said_twice():
    with pytest.raises(CommandError, match="Nobody"):
        said("erase_person", "nobody@x.example", **WHY)
    assert "1 identities, 1 events, 1 contents" in said("erase_person", EMAIL, **WHY)
    assert Subject.objects.filter(email=EMAIL).exists()
    assert "are gone" in said("erase_person", EMAIL, yes=True, **WHY)
    assert not Subject.objects.filter(email=EMAIL).exists()


def test_a_hold_makes_it_wait():
    with pytest.raises(CommandError, match="--reason"):
        said("legal_hold", "--place", "person", EMAIL)
    with pytest.raises(CommandError, match="one of"):
        said("legal_hold", "--place", "weather", "rain", **WHY)
    assert EMAIL in said("legal_hold", "--place", "person", EMAIL, **WHY)
    with pytest.raises(CommandError, match="waits for legal hold"):
        said("erase_person", EMAIL, yes=True, **WHY)
    assert EMAIL not in said("legal_hold", release=Hold.objects.get().pk, **WHY)
    assert Erasure.objects.get().state == Erasure.HELD


def test_a_token_in_a_reason_from_a_shell_is_kept_nowhere():
    secret = generate("api")
    why = {"by": "officer", "reason": f"found {secret} in a chat"}
    assert secret not in said("legal_hold", "--place", "person", EMAIL, **why)
    hold = Hold.objects.get()
    said("legal_hold", release=hold.pk, **why)
    said("erase_person", EMAIL, yes=True, **why)
    hold.refresh_from_db()
    kept = (hold.reason, hold.release_reason, Erasure.objects.get().reason)
    assert set(kept) == {"found [redacted:agp_api] in a chat"}
    with pytest.raises(CommandError, match="Evidence holds none"):
        said("legal_hold", "--place", "query", f"command:{secret}", **why)


def test_retention_is_previewed_and_applied():
    assert "Nothing was done" in said("apply_retention")
    RetentionRule.objects.create(part="content", days=1, exception="for this test")
    said("apply_retention", yes=True)
    assert Content.objects.filter(event__agent="claude_code").count() == 1


def test_what_there_is_of_a_person_is_written_out(capfdbinary):
    said("subject_access", EMAIL, by="officer")
    told = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [next(iter(line)) for line in told] == ["format", "identity", "event", "seen_by"]
