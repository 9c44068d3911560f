"""People who log in, for tests."""

from itertools import count

from django.contrib.auth.models import Group, User

PASSWORD = "correct horse battery"
BACKEND = "django.contrib.auth.backends.ModelBackend"
OFFICER = "Privacy officer"
REVIEWER, SIEM, CONNECTOR, ADMINISTRATOR = (
    "Compliance reviewer",
    "SIEM exporter",
    "Connector administrator",
    "Portal administrator",
)
_numbers = count()


def person(*roles: str, **overrides: object) -> User:
    """Someone on the staff with these roles."""
    values = {"username": f"person-{next(_numbers)}", "is_staff": True, **overrides}
    user = User.objects.create_user(password=PASSWORD, **values)
    user.groups.set(Group.objects.filter(name__in=roles))
    assert user.groups.count() == len(roles)
    return user


def superuser() -> User:
    return person(username="rosa", first_name="Rosa", last_name="Lind", is_superuser=True)
