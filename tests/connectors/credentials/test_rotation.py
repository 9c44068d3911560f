"""Secrets in rows: sealed for one place, sealed anew under a new key while others seal, told when they do not open."""

import io
import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from audit.models import Event
from connectors import credentials, tasks
from connectors.credentials import rotation
from connectors.models import Connection, KeyRotation
from tests.connectors.people import person

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sk-ant-admin01-" + "x" * 40
ROTATED = "New secrets are sealed with key"


@pytest.fixture(autouse=True)
def _ring(settings, tmp_path):
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "keys"


def connected(name: str, secret: str = SECRET) -> Connection:
    made = Connection(vendor="anthropic_admin", name=name)
    with transaction.atomic():
        credentials.seal(made, "secret", secret)
        made.save(force_insert=True)
    return made


def opened(row: Connection) -> str:
    row.refresh_from_db()
    return credentials.unseal(row, "secret")


def test_a_secret_opens_in_its_own_row_only():
    one, other = connected("one"), connected("other")
    assert opened(one) == SECRET
    Connection.objects.filter(pk=one.pk).update(secret=other.secret)
    with pytest.raises(credentials.Unreadable, match="another row"):
        opened(one)


def test_it_is_sealed_in_the_transaction_that_saves_it():
    with pytest.raises(transaction.TransactionManagementError):
        credentials.seal(Connection(), "secret", SECRET)


def test_a_lost_ring_is_said_and_not_made_anew(settings, tmp_path):
    row = connected("one")
    settings.CONNECTORS_KEY_FOLDER = tmp_path / "elsewhere"
    with pytest.raises(credentials.NoKey, match="is not in"):
        opened(row)
    with pytest.raises(credentials.NoKey, match="Bring the folder back"):
        connected("two")
    assert not (tmp_path / "elsewhere").exists()


def test_a_rotation_seals_everything_anew():
    rows = [connected(str(n), SECRET + str(n)) for n in range(5)]
    old = credentials.ring().newest()
    begun = rotation.begin("rosa")
    assert rotation.counts() == {old: 5}
    assert opened(rows[0]) == SECRET + "0"
    tasks.reseal_credentials()
    begun.refresh_from_db()
    assert (begun.total, begun.resealed, begun.told) == (5, 5, "")
    assert begun.finished_at is not None
    assert rotation.counts() == {credentials.ring().newest(): 5}
    assert [opened(row) for row in rows] == [SECRET + str(n) for n in range(5)]
    assert rotation.remove_unused("rosa") == [old]
    assert opened(rows[4]) == SECRET + "4"


def test_a_rotation_that_was_cut_off_goes_on():
    for n in range(4):
        connected(str(n))
    rotation.begin("rosa")

    def dies_at_two(done: KeyRotation) -> None:
        if done.resealed == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        rotation.reseal(dies_at_two)
    assert KeyRotation.objects.get().finished_at is None
    rotation.reseal()
    assert KeyRotation.objects.get().resealed == 4
    assert set(rotation.counts()) == {credentials.ring().newest()}


def test_what_does_not_open_stays_as_it_is_and_is_told():
    good, bad = connected("good"), connected("bad")
    Connection.objects.filter(pk=bad.pk).update(secret=good.secret)
    rotation.begin("rosa")
    rotation.reseal()
    done = KeyRotation.objects.get()
    assert done.resealed == 1
    assert str(bad.pk) in done.told
    assert SECRET not in done.told
    bad.refresh_from_db()
    assert bytes(bad.secret) == bytes(good.secret)
    assert rotation.remove_unused("rosa") == []


def test_a_rotation_waits_for_whoever_seals_at_the_moment():
    connected("one")
    sealing, go_on, rotated = threading.Event(), threading.Event(), threading.Event()

    def seals():
        with transaction.atomic():
            row = Connection(vendor="anthropic_admin", name="late")
            credentials.seal(row, "secret", SECRET)
            sealing.set()
            go_on.wait(20)
            assert not rotated.is_set()
            row.save(force_insert=True)
        connection.close()

    def rotates():
        rotation.begin("rosa")
        rotated.set()
        connection.close()

    threads = [threading.Thread(target=seals), threading.Thread(target=rotates)]
    threads[0].start()
    assert sealing.wait(20)
    threads[1].start()
    while not _somebody_waits():
        pass
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert KeyRotation.objects.get().total == 2


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


def test_the_command_lists_rotates_and_removes():
    connected("one")
    old = credentials.ring().newest().hex()
    told = io.StringIO()
    call_command("credentials_key", "rotate", "--by", "rosa", stdout=told)
    assert "1 of 1 secrets" in told.getvalue()
    call_command("credentials_key", "list", stdout=told)
    assert f"{old}  " in told.getvalue()
    call_command("credentials_key", "remove-unused", "--by", "rosa", stdout=told)
    assert f"{old} removed" in told.getvalue()
    assert SECRET not in told.getvalue()


def test_the_page_tells_the_keys_and_rotates(client: Client):
    connected("one")
    client.force_login(person("Connector administrator"))
    address = reverse("admin:connectors_keyrotation_changelist")
    assert "Current" in client.get(address).content.decode()
    page = client.post(reverse("admin:connectors_keyrotation_rotate"), follow=True).content.decode()
    assert ROTATED in page
    tasks.reseal_credentials()
    page = client.get(address).content.decode()
    assert "Unused" in page
    assert "1 of 1" in page
    asked = client.get(reverse("admin:connectors_keyrotation_remove")).content.decode()
    assert "can never be opened" in asked
    client.post(reverse("admin:connectors_keyrotation_remove"))
    assert len(credentials.ring().ids()) == 1
    names = Event.objects.order_by("id").values_list("event_name", flat=True)
    assert [name for name in names if name.startswith("credentials")] == [
        "credentials.key_rotated",
        "credentials.key_removed",
    ]


@pytest.mark.parametrize("role", ["Compliance reviewer", "Portal administrator"])
def test_others_see_no_key_ring(client: Client, role):
    client.force_login(person(role))
    assert client.get(reverse("admin:connectors_keyrotation_changelist")).status_code == 403
    assert client.post(reverse("admin:connectors_keyrotation_rotate")).status_code == 403


def test_the_ring_fits_phones(browser):
    connected("one")
    rotation.begin("rosa")
    rosa = person("Connector administrator")
    for width in (1440, 390):
        browser.open(reverse("admin:connectors_keyrotation_changelist"), rosa, width=width).assert_harmless()
