"""The pages of coverage, of seats and of devices, as a browser without script sees them."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from connectors.coverage import devices, looking
from connectors.models import CoverageRule, Covered, Device
from connectors.people import seats
from connectors.vendors.shape import SeatRow
from tests.connectors.people.known import joined, person, subject, vendor
from tests.factories import acts, draft, evidence
from tests.portal import people as roles

TODAY = timezone.now().astimezone(dt.UTC).date()
VERA, DANA = "vera@acme.example", "dana@acme.example"
db = pytest.mark.django_db


def logged_in(role) -> Client:
    client = Client()
    client.force_login(roles.person(role), backend=roles.BACKEND)
    return client


@pytest.fixture
def administrator(db) -> Client:
    return logged_in(roles.CONNECTOR)


@pytest.fixture
def _known(db):
    seats.replace(vendor(), [SeatRow("user_v", VERA, name="Vera Planck"), SeatRow("user_d", DANA)])
    subject(VERA, "install-v", host="veras-macbook", first=TODAY)
    subject("", "bedrock-1", first=TODAY)
    Device.objects.create(serial="C02V", host="veras-macbook", email=VERA, platform="macOS")
    joined()
    looking.look()


def url(page, *arguments):
    return reverse(f"admin:connectors_{page}", args=arguments)


def text(client, page, **query):
    response = client.get(page, query)
    assert response.status_code == 200, page
    return response.content.decode()


def post(client, page, **data):
    response = client.post(page, data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.usefixtures("_known")
def test_every_figure_leads_to_exactly_its_rows(administrator):
    told = text(administrator, url("covered_changelist"))
    assert "66.7" in told
    assert "Vera Planck" in told
    tiles = re.findall(r'<dd class="value"><a href="([^"]*)">([\d.]+)</a>', told)
    assert len(tiles) == 9
    for link, value in tiles[1:]:
        listed = text(administrator, link.replace("&amp;", "&"))
        assert Covered.objects.filter(state=link.rpartition("=")[2]).count() == int(value)
        assert ("No row of coverage matches" in listed) == (value == "0")
    assert "Vera Planck" not in text(administrator, url("covered_changelist"), expected="missing")
    assert DANA in text(administrator, url("covered_changelist"), expected="missing")


@pytest.mark.usefixtures("_known")
def test_rows_are_found_and_downloaded(administrator):
    page = url("covered_changelist")
    assert "bedrock-1" not in text(administrator, page, q="C02V")
    download = b"".join(administrator.get(url("covered_download", "ndjson")).streaming_content).decode()
    assert len(download.splitlines()) == 4
    assert f'"since_shown": "{TODAY}"' in download
    assert [act["list"] for act in acts("evidence.downloaded")] == ["rows-of-coverage"]


@pytest.mark.usefixtures("_known")
def test_without_the_right_to_see_people_there_are_pseudonyms(administrator):
    client = Client()
    user = roles.person()
    user.user_permissions.add(Permission.objects.get(codename="view_installation"))
    client.force_login(user, backend=roles.BACKEND)
    told = text(client, url("covered_changelist"))
    for name in ("Vera", VERA, "bedrock-1", "C02V", "veras-macbook"):
        assert name not in told
    assert f"person-{person(VERA).pk}" in told
    assert "Judge otherwise" not in told
    assert client.post(url("covered_look")).status_code == 403
    assert client.get(url("seat_changelist")).status_code == 403
    assert client.get(url("device_changelist")).status_code == 403


@pytest.mark.usefixtures("_known")
def test_it_is_judged_by_other_thresholds(administrator):
    assert "Judged anew" in post(administrator, url("covered_rule"), silent_after_days=14, window_days=60)
    told = text(administrator, url("covered_changelist"))
    assert "Silent after 14 days" in told
    assert "takes a number of days" in post(administrator, url("covered_rule"), silent_after_days=0, window_days=60)
    assert CoverageRule.objects.get().silent_after_days == 14
    assert administrator.get(url("covered_rule")).status_code == 403
    assert "Looked again" in post(administrator, url("covered_look"))


def test_nothing_known_is_said_as_such(administrator):
    assert "Not enough data" in text(administrator, url("covered_changelist"))
    evidence(draft("prompt"))
    assert "no seat or device is known" in text(administrator, reverse("admin:index"))


@pytest.mark.usefixtures("_known")
def test_the_overview_has_the_share(administrator):
    evidence(draft("prompt"))
    told = text(administrator, reverse("admin:index"))
    assert "Fleet coverage" in told
    assert "1 of 3 do not" in told
    assert "expected=missing" in told


@pytest.mark.usefixtures("_known")
def test_seats_are_listed(administrator):
    told = text(administrator, url("seat_changelist"))
    assert "Vera Planck" in told
    assert "user_d" in told
    assert DANA not in text(administrator, url("seat_changelist"), listed="no")


LIST = f"Serial Number,Computer Name,Primary User,OS\nC1,MAC-1,{VERA.upper()},macOS\nC2,mac-2,,\n"


@db
def test_a_list_of_devices_is_shown_before_it_is_applied(administrator):
    page = url("device_import")
    told = post(administrator, page, text=LIST)
    assert f"mac-1 of {VERA} macOS is new." in told
    assert not Device.objects.exists()
    assert "2 changes" in post(administrator, page, text=LIST, apply="1")
    assert "Nothing would change" in post(administrator, page, text=LIST)
    told = post(administrator, page, text="serial,host\nC2,mac-2b\n", complete="on")
    assert "mac-2 becomes mac-2b" in told
    assert "mac-1 goes" in told
    post(administrator, page, text="serial,host\nC2,mac-2b\n", complete="on", apply="1")
    assert [each.host for each in Device.objects.all()] == ["mac-2b"]
    assert "never" in text(administrator, url("covered_changelist"))
    told = acts("devices.imported")
    assert [act["devices.changed"] for act in told] == [2, 2]
    assert VERA not in str(told)


@db
def test_a_list_with_a_fault_takes_no_device_away(administrator):
    Device.objects.create(serial="C1")
    post(administrator, url("device_import"), text="serial,email\nC2,\nC3,nonsense\n", complete="on", apply="1")
    assert {each.serial for each in Device.objects.all()} == {"C1", "C2"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (",mac-1", "serial number is missing"),
        ("C1,mac-1,nonsense", "no e-mail address"),
        ("C0,mac-1", "in line 2 already"),
        (f"C1,{'x' * 300}", "more than 256"),
    ],
)
def test_what_is_wrong_with_a_device_is_said_by_line(line, told):
    (fault,) = devices.read(f"serial,host,email\nC0,h,\n{line}\n").faults
    assert fault.line == 3
    assert told in fault.told


@given(st.text(max_size=300))
def test_no_list_of_devices_breaks_it(data):
    devices.read(f"serial,host,email\n{data}")


@pytest.mark.usefixtures("_known")
def test_whatever_is_hostile_stays_text(administrator):
    hostile = '"><img src=x onerror=alert(1)>\u202e'
    Device.objects.update(host=hostile, platform=hostile)
    Covered.objects.update(reason=hostile)
    for page in ("covered_changelist", "device_changelist"):
        told = text(administrator, url(page))
        assert "<img src=x" not in told
        assert "\u202e" not in told


def test_before_it_is_first_computed_it_says_so(administrator):
    seats.replace(vendor(), [SeatRow("user_v", VERA)])
    shown = text(administrator, url("covered_changelist"))
    assert "Not computed yet" in shown
    assert "Look again does it now" in shown


@pytest.mark.usefixtures("_known")
def test_it_links_nobody_to_what_they_may_not_open(administrator):
    def links(client: Client) -> list[str]:
        shown = re.findall(r'href="([^"]+)"', text(client, url("covered_changelist")))
        return [link for link in shown if re.search(r"/device/\?|/identity/\d+/map/", link)]

    assert len(links(administrator)) == 2
    assert links(logged_in(roles.REVIEWER)) == []
