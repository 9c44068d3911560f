import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from portal import roles
from tests.portal import people

pytestmark = pytest.mark.django_db

ROLES = {role.name: role for role in roles.ROLES}
OPENS = {
    people.REVIEWER: {
        "audit",
        "connectors.usageday",
        "connectors.installation",
        "connectors.person",
        "connectors.identity",
        "connectors.team",
        "connectors.covered",
        "connectors.seat",
    },
    people.SIEM: set(),
    people.OFFICER: {"audit.hold", "audit.erasure", "audit.retentionrule", "audit.retentionrun"},
    people.CONNECTOR: {"connectors"},
    people.ADMINISTRATOR: {"auth", "django_celery_beat", "axes", "ingest", "connectors.apitoken"},
}
"""Which parts of the admin each role opens; everything else is closed to it."""


def logged_in(user) -> Client:
    client = Client()
    client.force_login(user, backend=people.BACKEND)
    return client


def held(name: str) -> set[str]:
    pairs = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in pairs}


@pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.name)
def test_it_seeds_what_the_table_says(role):
    every = Permission.objects.values_list("content_type__app_label", "codename")
    expected = {f"{label}.{name}" for label, name in every if roles.matches(role, label, name)}
    assert expected
    assert held(role.name) == expected


def test_it_lets_reviewers_see_content_and_identities_but_no_settings():
    rights = held(people.REVIEWER)
    assert {"audit.view_content", "audit.view_identity", "audit.export_evidence", "audit.view_session"} <= rights
    assert all(".view_" in right or right == "audit.export_evidence" for right in rights)
    settings = ("connection", "pull", "source", "ingesttoken", "apitoken", "price")
    assert not rights & {f"connectors.view_{name}" for name in settings}


@pytest.mark.parametrize("name", [people.CONNECTOR, people.ADMINISTRATOR])
def test_it_keeps_evidence_from_administrators(name):
    assert not any(right.startswith("audit.") for right in held(name))


def test_it_seeds_again_without_taking_away_what_an_administrator_gave():
    group = Group.objects.get(name=people.CONNECTOR)
    extra = Permission.objects.get(codename="view_session", content_type__app_label="audit")
    group.permissions.add(extra)
    roles.seed(Group.objects.all(), Permission.objects.all())
    assert extra in group.permissions.all()
    assert Group.objects.filter(name=people.CONNECTOR).count() == 1


@pytest.mark.parametrize("name", list(OPENS))
def test_it_opens_to_each_role_just_its_lists(name):
    client = logged_in(people.person(name))
    for model in admin.site._registry:
        label = model._meta.app_label
        path = reverse(f"admin:{label}_{model._meta.model_name}_changelist")
        opened = {label, model._meta.label_lower} & OPENS[name]
        expected = 302 if ROLES[name].api_only else 200 if opened else 403
        assert client.get(path).status_code == expected, path


@pytest.mark.parametrize("name", list(OPENS))
def test_it_shows_each_role_only_navigation_it_may_follow(name):
    client = logged_in(people.person(name))
    response = client.get("/admin/")
    if ROLES[name].api_only:
        assert response.status_code == 302
        return
    for group in response.context["navigation"]:
        for link in group.links:
            assert client.get(link.url).status_code == 200, link


def test_it_tells_those_of_the_api_why_they_see_no_page_and_lets_them_out():
    client = logged_in(people.person(people.SIEM))
    html = client.get("/admin/", follow=True).content.decode()
    assert "uses the REST API and has no pages here" in html
    assert 'action="/admin/logout/"' in html
    assert 'name="password"' not in html
    assert "Logged out" in client.post("/admin/logout/").content.decode()
    html = client.get("/admin/", follow=True).content.decode()
    assert 'name="password"' in html
    assert "REST API" not in html


def test_it_lets_those_in_who_have_another_role_beside_the_api():
    assert logged_in(people.person(people.SIEM, people.REVIEWER)).get("/admin/").status_code == 200
    assert logged_in(people.person()).get("/admin/").status_code == 200
    assert logged_in(people.person(people.REVIEWER, is_staff=False)).get("/admin/").status_code == 302


def form(user, **changes: object) -> dict[str, object]:
    values = {"username": user.username, "first_name": "", "last_name": "", "email": "", "is_active": "on"}
    return values | {"is_staff": "on"} | changes


def test_it_lets_an_administrator_give_roles():
    administrator, user = people.person(people.ADMINISTRATOR), people.person()
    role = Group.objects.get(name=people.REVIEWER)
    path = reverse("admin:auth_user_change", args=[user.pk])
    assert logged_in(administrator).post(path, form(user, groups=[role.pk])).status_code == 302
    assert list(user.groups.all()) == [role]


@pytest.mark.parametrize(("role", "opened"), [(people.REVIEWER, True), ("SIEM exporter", False)])
def test_a_role_that_is_used_in_the_admin_opens_it(role, opened):
    user = people.person(is_staff=False)
    path = reverse("admin:auth_user_change", args=[user.pk])
    values = form(user, groups=[Group.objects.get(name=role).pk])
    del values["is_staff"]
    administrator = logged_in(people.person(people.ADMINISTRATOR))
    assert administrator.post(path, values).status_code == 302
    user.refresh_from_db()
    assert user.is_staff is opened
    administrator.post(path, values)  # the role was given before: whoever unticks it now means it
    user.refresh_from_db()
    assert not user.is_staff


def test_it_lets_no_administrator_make_a_superuser():
    administrator, user = people.person(people.ADMINISTRATOR), people.person()
    right = Permission.objects.get(codename="view_content").pk
    path = reverse("admin:auth_user_change", args=[user.pk])
    logged_in(administrator).post(path, form(user, is_superuser="on", user_permissions=[right]))
    user.refresh_from_db()
    assert not user.is_superuser
    assert not user.user_permissions.exists()


def test_it_lets_no_administrator_give_themselves_a_role():
    administrator = people.person(people.ADMINISTRATOR)
    role = Group.objects.get(name=people.REVIEWER)
    path = reverse("admin:auth_user_change", args=[administrator.pk])
    logged_in(administrator).post(path, form(administrator, groups=[role.pk]))
    assert [group.name for group in administrator.groups.all()] == [people.ADMINISTRATOR]


@pytest.mark.parametrize("page", ["change", "delete", "password"])
def test_it_lets_no_administrator_touch_a_superuser(page):
    client, boss = logged_in(people.person(people.ADMINISTRATOR)), people.superuser()
    name = "auth_user_password_change" if page == "password" else f"auth_user_{page}"
    data = form(boss, is_active="") | {"post": "yes", "password1": "x" * 20, "password2": "x" * 20}
    assert client.post(reverse(f"admin:{name}", args=[boss.pk]), data).status_code == 403
    boss.refresh_from_db()
    assert boss.is_active
    assert boss.check_password(people.PASSWORD)


def test_it_shows_who_has_which_role():
    people.person(people.REVIEWER, username="mira")
    client = logged_in(people.superuser())
    assert "mira" in client.get("/admin/auth/group/").content.decode()
    assert "Compliance reviewer" in client.get("/admin/auth/user/").content.decode()
    assert "Reads all evidence" in client.get("/admin/auth/group/").content.decode()


def test_it_names_only_apps_that_exist():
    labels = {config.label for config in apps.get_app_configs()}
    assert {pattern.partition(".")[0] for role in roles.ROLES for pattern in role.permissions} <= labels
