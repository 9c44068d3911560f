"""What a person may see of evidence beyond its facts."""

from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Rights:
    """`content`: prompts, commands, paths. `identity`: who a person is; without it, a pseudonym."""

    content: bool
    identity: bool


def of(request: HttpRequest) -> Rights:
    return Rights(request.user.has_perm("audit.view_content"), request.user.has_perm("audit.view_identity"))
