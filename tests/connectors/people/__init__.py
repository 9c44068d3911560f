"""People for tests, by what they may do."""

from django.contrib.auth.models import Group, User


def person(*roles: str, **more: object) -> User:
    """Someone with those roles, who may log in to the admin."""
    user = User.objects.create(username="rosa", is_staff=True, **more)
    user.groups.set([Group.objects.get(name=role) for role in roles])
    return user


def reviewer() -> User:
    """Ana, who reads evidence and looks after no token."""
    user = User.objects.create(username="ana", is_staff=True)
    user.groups.add(Group.objects.get(name="Compliance reviewer"))
    return user
