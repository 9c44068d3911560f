"""Log-ins as acts of the portal, by Django's and django-axes' signals.

A log-in shows no evidence, so one that cannot be recorded is not refused: whoever has to mend the ledger must get in.
Whatever strangers type, the ledger grows by a few events a minute: failures are recorded once a minute for each
account there is, and once a minute for all names that are no account's. Those names are not kept; some are passwords.
"""

import datetime as dt
from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.http import HttpRequest

from audit import acts
from audit.exceptions import NotRecorded
from audit.vocabulary import Kind
from connectors.api.authentication import client_address

MINUTE = dt.timedelta(minutes=1)


def connect() -> None:
    user_logged_in.connect(_succeeded, dispatch_uid="portal.logins")
    user_login_failed.connect(_failed, dispatch_uid="portal.logins")
    user_locked_out.connect(_locked, dispatch_uid="portal.logins")


def _succeeded(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    _record("login.succeeded", request, by=acts.person(user))


def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    _refused("login.failed", request, credentials.get("username"))


def _locked(sender: Any, request: HttpRequest | None, username: str | None, **kwargs: Any) -> None:
    _refused("login.locked", request, username)


def _refused(name: str, request: HttpRequest | None, username: str | None) -> None:
    """`by` is the account that was tried: as with agents, a claim of whoever sent it."""
    user = get_user_model().objects.filter(username=(username or "").replace("\0", "")).first()
    _record(
        name,
        request,
        by=acts.person(user) if user else "",
        facts={"account.known": user is not None},
        once=MINUTE,
    )


def _record(name: str, request: HttpRequest | None, **told: Any) -> None:
    address = client_address(request) if request else ""
    content = {"client.address": address} if address else {}
    try:
        acts.require(name, kind=Kind.AUTH, content=content, **told)
    except NotRecorded:
        return  # the log says so
