"""What a fresh portal needs before anyone can use it: an administrator and two tokens, shown once or from settings."""

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from audit import acts
from connectors import scopes, snippets, tokens
from connectors.models import Token
from portal import env

BY = "first start"
NAMES = {scopes.INGEST: "first agents", scopes.API: "first API client"}
SETTINGS = {scopes.INGEST: "PORTAL_BOOTSTRAP_INGEST_TOKEN", scopes.API: "PORTAL_BOOTSTRAP_API_TOKEN"}


def prepare() -> list[str]:
    """Make what is missing, and give the lines that show it. They hold secrets that are kept nowhere else."""
    lines = _administrator()
    ingest = _token(scopes.INGEST)
    api = _token(scopes.API)
    if ingest:
        snippet = snippets.claude_code(settings.OTLP_PUBLIC_URL, ingest).splitlines()
        lines += ["", "For Claude Code, in ~/.claude/settings.json (its token is shown only now):", *snippet]
    if api:
        url = f"{settings.PUBLIC_URL}/api/v1/sessions/"
        lines += ["", "For the REST API (this token is shown only now):"]
        lines += [f"  curl -H 'Authorization: Bearer {api}' {url}"]
    return lines


def _administrator() -> list[str]:
    """The account that the settings name, or, while there is no superuser at all, one with a random password."""
    users = get_user_model().objects
    email, password = env.text("PORTAL_ADMIN_EMAIL"), env.text("PORTAL_ADMIN_PASSWORD")
    name = email or "admin"
    if users.filter(username=name).exists() or (not email and users.filter(is_superuser=True).exists()):
        return []
    chosen = password or secrets.token_urlsafe(15)
    with transaction.atomic():
        user = users.create_superuser(name, email, chosen)
        facts = {"object.kind": "user", "object.id": str(user.pk), "superuser": True}
        acts.require("user.created", by=BY, facts=facts, content={"account": name, "email": email})
    return [f"Administrator: {name}"] if password else [f"Administrator: {name}   password (shown only now): {chosen}"]


def _token(kind: str) -> str | None:
    """The secret of a token made now; None where there has been one before, or the settings give one."""
    given = env.text(SETTINGS[kind])
    if given:
        try:
            tokens.adopt(kind, given, NAMES[kind], by=BY)
        except tokens.TokenError as error:
            raise env.SettingError(f"{SETTINGS[kind]} is {error}") from None
        return None
    if Token.objects.filter(kind=kind).exists():
        return None
    return tokens.issue(kind, NAMES[kind], by=BY, scopes=tuple(scopes.SCOPES[kind]))[1]
