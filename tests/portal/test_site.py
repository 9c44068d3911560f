import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse

from portal import navigation
from tests.portal import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    client = Client()
    client.force_login(people.superuser(), backend=people.BACKEND)
    return client


def links(html: str) -> list[str]:
    side = html[html.index('id="nav-sidebar"') : html.index("<main")]
    return re.findall(r'<a href="([^"]+)"', side)


def pages() -> list[str]:
    """Every list and every empty form of the admin."""
    found = [reverse("admin:index"), reverse("admin:password_change")]
    for model in admin.site._registry:
        for page in ("changelist", "add"):
            try:
                found.append(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"))
            except NoReverseMatch:
                continue
    return found


def test_a_list_with_nothing_in_it_teaches(client):
    """How its rows come about, or how to ask for some."""
    mute = []
    for path in pages():
        html = client.get(path).content.decode()
        for empty in re.findall(r'<div class="empty">.*?</div>', html, re.DOTALL)[:1]:
            if "<p>" not in empty and "How to ask" not in html:
                mute.append(path)
    assert mute == []


def test_it_frames_every_page(client):
    for path in pages():
        response = client.get(path)
        if response.status_code in (302, 403):  # nothing may be added there
            assert path.endswith("/add/"), path
            continue
        html = response.content.decode()
        assert response.status_code == 200, path
        assert 'id="nav-sidebar"' in html, path
        assert "portal/theme.css" in html, path
        assert re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|admin/css/base.css", html) is None, path
        assert re.search(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)", html) is None, path


def test_it_sends_a_strict_policy(client):
    policy = dict(part.split(" ", 1) for part in client.get("/admin/")["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def test_it_shows_nothing_that_leads_nowhere(client):
    shown = links(client.get("/admin/").content.decode())
    assert "/admin/auth/user/" in shown
    for path in shown:
        assert client.get(path).status_code == 200, path


def test_it_marks_where_the_reader_is(client):
    html = client.get("/admin/auth/user/").content.decode()
    assert '<a href="/admin/auth/user/" aria-current="page">' in html
    assert html.count('aria-current="page"') == 3  # navigation, breadcrumbs, the lists beside it
    html = client.get("/admin/auth/group/add/").content.decode()
    assert '<a href="/admin/auth/user/" aria-current="true">' in html


def test_it_leaves_out_entries_of_models_that_are_not_there(rf):
    request = rf.get("/admin/")
    request.user = people.superuser()
    assert navigation.list_url(admin.site, request, "no.such") == ""
    assert navigation.list_url(admin.site, request, "contenttypes.contenttype") == ""


def test_it_names_the_installation_and_the_state_of_the_ledger(client, settings):
    settings.ENVIRONMENT = "Staging <b>"
    html = client.get("/admin/").content.decode()
    assert "Staging &lt;b&gt;" in html
    assert "Nothing sealed" in html


def test_it_asks_little_of_the_database_on_every_page(client, django_assert_max_num_queries):
    client.get("/admin/password_change/")
    with django_assert_max_num_queries(4):  # log-in session, person, newest seal, sealer's sign of life
        client.get("/admin/password_change/")


def test_it_says_why_nobody_was_logged_in():
    client = Client()
    user = people.person()
    html = client.post("/admin/login/", {"username": user.username, "password": "wrong"}).content.decode()
    assert "Not logged in: name and password do not belong together" in html
    html = client.post("/admin/login/", {"username": user.username, "password": ""}).content.decode()
    assert "Not logged in: both fields are needed" in html


def test_it_logs_in_and_out():
    client = Client()
    user = people.person()
    response = client.post("/admin/login/", {"username": user.username, "password": people.PASSWORD})
    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/logout/").status_code == 405
    assert "Logged out" in client.post("/admin/logout/").content.decode()
    assert client.get("/admin/").status_code == 302


def test_it_closes_log_in_after_five_wrong_passwords():
    client = Client()
    user, other = people.person(), people.person()
    for _ in range(4):
        client.post("/admin/login/", {"username": user.username, "password": "wrong"})
    response = client.post("/admin/login/", {"username": user.username, "password": "wrong"})
    assert response.status_code == 429
    html = response.content.decode()
    assert "Log-in is closed for a while" in html
    assert "30 min" in html
    response = client.post("/admin/login/", {"username": user.username, "password": people.PASSWORD})
    assert response.status_code == 429
    response = client.post("/admin/login/", {"username": other.username, "password": people.PASSWORD})
    assert response.status_code == 302


def test_it_opens_log_in_again_when_an_administrator_deletes_the_attempts(client):
    user = people.person()
    locked = Client()
    for _ in range(5):
        locked.post("/admin/login/", {"username": user.username, "password": "wrong"})
    from axes.models import AccessAttempt

    attempt = AccessAttempt.objects.get(username=user.username)
    response = client.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})
    assert response.status_code == 302
    response = locked.post("/admin/login/", {"username": user.username, "password": people.PASSWORD})
    assert response.status_code == 302


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [("/admin/nothing/here/", 404, "nothing at this address"), ("/nothing", 404, "nothing at this")],
)
def test_it_answers_unknown_addresses_in_the_theme(client, path, status, told):
    response = client.get(path)
    assert response.status_code == status
    assert told in response.content.decode()
    assert "portal/theme.css" in response.content.decode()


def test_it_answers_unknown_addresses_of_the_api_as_problems():
    response = Client().get("/api/v1/nothing/here")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == 404


def test_it_refuses_in_the_theme():
    client = Client()
    client.force_login(people.person(), backend=people.BACKEND)
    response = client.get("/admin/auth/user/")
    assert response.status_code == 403
    assert "Your role does not cover this" in response.content.decode()


def test_it_refuses_a_form_without_its_proof_in_the_theme():
    client = Client(enforce_csrf_checks=True)
    response = client.post("/admin/login/", {"username": "x", "password": "y"})
    assert response.status_code == 403
    assert "The form was not accepted" in response.content.decode()


def test_it_says_that_a_page_broke_without_saying_how(client, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("portal.dashboard.context", broken)
    client.raise_request_exception = False
    response = client.get("/admin/")
    assert response.status_code == 500
    assert "This page could not be made" in response.content.decode()
    assert "secret detail" not in response.content.decode()


def test_it_changes_a_password():
    client = Client()
    user = people.person()
    client.force_login(user, backend=people.BACKEND)
    form = {"old_password": people.PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert "Not changed: 1 field needs a change" in client.post("/admin/password_change/", form).content.decode()
    form |= {"new_password1": "a longer new one 7", "new_password2": "a longer new one 7"}
    assert client.post("/admin/password_change/", form).status_code == 302
    user.refresh_from_db()
    assert user.check_password("a longer new one 7")


def test_it_keeps_times_for_machines_and_labels_for_phones(client):
    html = client.get("/admin/auth/user/").content.decode()
    assert re.search(
        r'<td role="cell" data-label="Last login" class="field-last_login nowrap"><time datetime="20', html
    )
    assert '<table id="result_list" class="stack" role="table">' in html


def test_it_offers_every_list_for_download(client):
    response = client.get("/admin/auth/user/download.csv")
    lines = b"".join(response.streaming_content).decode().split("\r\n")
    assert lines[0] == "username,full_name,email,held_roles,state,last_login"
    assert lines[1].startswith("rosa,Rosa Lind,,Superuser,Yes,20")
    assert "pbkdf2" not in "".join(lines)


def test_it_tells_the_history_of_a_change(client):
    user = people.person()
    form = {"username": user.username, "first_name": "Dana", "last_name": "", "email": "", "is_active": "on"}
    form |= {"last_login_0": "", "last_login_1": "", "date_joined_0": "2026-11-21", "date_joined_1": "12:00:00"}
    assert client.post(reverse("admin:auth_user_change", args=[user.pk]), form).status_code == 302
    html = client.get(reverse("admin:auth_user_history", args=[user.pk])).content.decode()
    assert "Changed First name" in html or "First name" in html
    assert "rosa (Rosa Lind)" in html
