"""The life of a token: issued, rotated, revoked. The secret is returned once and kept nowhere."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit import acts, pasted
from connectors import addresses, scopes
from connectors.models import NAME_LENGTH, Source, Token
from connectors.tokens import receipts, spelling

SHOWN = 4  # characters of the secret that tell a person which token it is; the last four beside them
LONGEST_OVERLAP = dt.timedelta(days=7)
USUAL_OVERLAP = dt.timedelta(hours=24)


class TokenError(Exception):
    """A token that cannot be issued, rotated or adopted; the message says why, to whoever asked."""


class AlreadyIssued(TokenError):
    """The form that asks for a token has its token already, whose secret was shown then."""

    def __init__(self, token: Token) -> None:
        super().__init__(f"{token} was issued already.")
        self.token = token


def issue(
    kind: str,
    name: str,
    *,
    by: acts.Who,
    scopes: Sequence[str],
    networks: Sequence[str] = (),
    expires_at: dt.datetime | None = None,
    records_per_minute: int | None = None,
    source: Source | None = None,
    form_key: UUID | None = None,
) -> tuple[Token, str]:
    """A new token and its secret. An ingestion token belongs to `source`, which is saved if it is new, else
    to the source of that name. The same `form_key` again raises AlreadyIssued.

    Raises TokenError for an unusable name, scopes of the other kind or an expiry in the past, and
    addresses.NotANetwork for what is no network.
    """
    secret = spelling.generate(kind)
    token = _token(kind, name, secret, by=by, scopes=scopes, networks=networks, expires_at=expires_at)
    token.records_per_minute, token.form_key = records_per_minute, form_key
    with transaction.atomic():
        _once(form_key)
        token.source = _source(kind, name, source)
        token.save(force_insert=True)
        _told("token.issued", token, by)
    return token, secret


def adopt(kind: str, secret: str, name: str, *, by: acts.Who) -> Token | None:
    """Take a secret made elsewhere, with all scopes of its kind; None if that secret was ever known here.

    Raises TokenError if it is not written as a token of that kind is.
    """
    if spelling.kind_of(secret) != kind:
        prefix = spelling.PREFIXES[kind]
        raise TokenError(f"not a token that begins with {prefix}: its beginning, length or checksum is wrong.")
    token = _token(kind, name, secret, by=by, scopes=tuple(scopes.SCOPES[kind]), networks=(), expires_at=None)
    with transaction.atomic():
        _queue("adopt")  # replicas start together with the same secret: the second one then finds it known
        if Token.objects.filter(digest=token.digest).exists():
            return None
        token.source = _source(kind, name, None)
        token.save(force_insert=True)
        _told("token.issued", token, by)
    return token


def _token(
    kind: str,
    name: str,
    secret: str,
    *,
    by: acts.Who,
    scopes: Sequence[str],
    networks: Sequence[str],
    expires_at: dt.datetime | None,
) -> Token:
    check_name(name)
    check_scopes(kind, scopes)
    check_expiry(expires_at)
    return Token(
        kind=kind,
        name=name,
        digest=spelling.digest(secret),
        prefix=secret[: len(spelling.PREFIXES[kind]) + SHOWN],
        last_four=secret[-4:],
        scopes=list(dict.fromkeys(scopes)),
        networks=[str(addresses.network(each)) for each in dict.fromkeys(networks)],
        expires_at=expires_at,
        created_by=str(by),
    )


def check_name(name: str) -> None:
    if not name.strip():
        raise TokenError("Give it a name.")
    if len(name) > NAME_LENGTH:
        raise TokenError(f"The name is longer than {NAME_LENGTH} characters.")
    if not name.isprintable():
        raise TokenError("The name holds a character that cannot be seen.")
    if pasted.holds_secret(name):
        raise TokenError("A token or key stands in the name, which is shown to others. Leave it out.")


def check_scopes(kind: str, wanted: Sequence[str]) -> None:
    known = scopes.SCOPES[kind]
    if not wanted:
        raise TokenError(f"Name at least one scope: {', '.join(known)}.")
    if unknown := [each for each in wanted if each not in known]:
        raise TokenError(f"{unknown[0]} is not a scope of this kind of token: {', '.join(known)}.")


def check_expiry(expires_at: dt.datetime | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise TokenError("The expiry lies in the past.")


def _once(form_key: UUID | None) -> None:
    """One token a form, however often and however quickly it is sent. Call it in the transaction that issues."""
    if form_key is not None:
        _queue(str(form_key))
        if token := Token.objects.filter(form_key=form_key).first():
            raise AlreadyIssued(token)


def _queue(name: str) -> None:
    """Wait until no other transaction that named the same is under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"connectors.{name}"])


def _source(kind: str, name: str, source: Source | None) -> Source | None:
    if kind == scopes.API:
        return None
    if source is not None:
        if source.pk is None:
            source.save()
        return source
    return Source.objects.filter(name__iexact=name).first() or Source.objects.create(name=name)


def rotate(
    token: Token, overlap: dt.timedelta = USUAL_OVERLAP, *, by: acts.Who, form_key: UUID | None = None
) -> tuple[Token, str]:
    """A new token for the same use, and its secret; the old one goes on for `overlap` (0 to 7 days).

    The new one gets as long a life as the old one had, from now. Raises TokenError if `token` no longer works or
    was rotated already; AlreadyIssued for the same `form_key` again.
    """
    if not dt.timedelta() <= overlap <= LONGEST_OVERLAP:
        raise TokenError("Both tokens can work together for at most 7 days.")
    with transaction.atomic():
        _once(form_key)
        old = Token.objects.select_for_update().get(pk=token.pk)
        if not old.works:
            raise TokenError(f"This token is {old.state}; issue a new one.")
        if old.valid_until is not None:
            raise TokenError("This token was rotated already; rotate the one that replaced it.")
        now = timezone.now()
        secret = spelling.generate(old.kind)
        new = _token(
            old.kind,
            old.name,
            secret,
            by=by,
            scopes=old.scopes,
            networks=old.networks,
            expires_at=now + (old.expires_at - old.created_at) if old.expires_at else None,
        )
        new.source, new.records_per_minute, new.rotated_from = old.source, old.records_per_minute, old
        new.form_key = form_key
        new.save(force_insert=True)
        old.valid_until = now + overlap
        old.save(update_fields=["valid_until"])
        _told("token.rotated", new, by, {"token.replaces": old.pk})
    return new, secret


def revoke(token: Token, reason: str, *, by: acts.Who) -> Token:
    """End a token for good; it is refused from the next request on. A second call changes nothing.

    Its receipt is to be settled when this is committed (receipts.settle).
    """
    reason = pasted.masked(reason.strip())
    if not reason:
        raise TokenError("Say why: the reason is kept with the token.")
    with transaction.atomic():
        current = Token.objects.select_for_update().get(pk=token.pk)
        if current.revoked_at is None:
            current.revoked_at, current.revoked_by, current.revoke_reason = timezone.now(), str(by), reason
            current.save(update_fields=["revoked_at", "revoked_by", "revoke_reason"])
            receipts.begin(current)
            _told("token.revoked", current, by, reason=current.revoke_reason)
    return current


def _told(act: str, token: Token, by: acts.Who, facts: Mapping[str, Any] = {}, **content: str) -> None:
    """Leaves an act of the portal, in the transaction that does it. The secret is in no part of it."""
    about = {"token.id": token.pk, "token.kind": token.kind, "token.scopes": " ".join(token.scopes)}
    if token.source_id:
        about["source.id"] = token.source_id
    acts.require(act, by=by, facts={**about, **facts}, content={"token.name": token.name, **content})
