"""The overview."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest


def context(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    return {}
