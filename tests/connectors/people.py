"""People for tests, by what they may do."""

from django.contrib.auth.models import Group, User


def person(*roles: str, **more: object) -> User:
    """Someone with those roles, who may log in to the admin."""
    user = User.objects.create(username="rosa", is_staff=True, **more)
    user.groups.set([Group.objects.get(name=role) for role in roles])
    return user
