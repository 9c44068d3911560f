"""Pages as they came, kept with their hash, so that what was known on a date can be shown, and folded again."""

import datetime as dt
import gzip
import hashlib
from collections.abc import Iterator

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from connectors.models import Page, Pull
from connectors.pulls import claims
from connectors.vendors.shape import Fetched

MOST_PAGES = 20_000


class Damaged(Exception):
    """A kept page that is not what came: its hash differs."""


class Endless(Exception):
    """Paging that comes to no end."""


def keep(pull: Pull, fetched: Fetched) -> None:
    """Stores one page and moves the cursor, in one short transaction. Raises Superseded and Endless."""
    if fetched.next_cursor and (fetched.next_cursor == pull.cursor or pull.pages_taken >= MOST_PAGES):
        raise Endless
    with transaction.atomic():
        claims.change(
            pull, cursor=fetched.next_cursor, pages_taken=F("pages_taken") + 1, failures=0, status=None, error=""
        )
        Page.objects.create(
            pull=pull,
            number=pull.pages_taken + 1,
            cursor=pull.cursor,
            fetched_at=timezone.now(),
            sha256=hashlib.sha256(fetched.body).digest(),
            body=gzip.compress(fetched.body, mtime=0),
        )
    pull.cursor, pull.failures = fetched.next_cursor, 0
    pull.pages_taken += 1


def restart(pull: Pull, **values: object) -> None:
    """Forgets what was taken: the cursor no longer holds. Raises Superseded."""
    with transaction.atomic():
        claims.change(pull, cursor="", pages_taken=0, **values)
        Page.objects.filter(pull=pull).delete()
    pull.cursor, pull.pages_taken = "", 0


def are_complete(pull: Pull) -> bool:
    """Whether the last page is there: it was the one without a next cursor."""
    return pull.pages_taken > 0 and not pull.cursor


def bodies(pull: Pull) -> Iterator[bytes]:
    """The pages in order, as they came. Raises Damaged."""
    for page in Page.objects.filter(pull=pull).order_by("number").iterator(chunk_size=20):
        yield opened(page)


def opened(page: Page) -> bytes:
    """The body as it came. Raises Damaged."""
    try:
        body = gzip.decompress(bytes(page.body))
    except (OSError, EOFError) as error:
        raise Damaged(str(page)) from error
    if hashlib.sha256(body).digest() != bytes(page.sha256):
        raise Damaged(str(page))
    return body


def earlier(pull: Pull) -> Pull | None:
    """The last pull of the same day that has pages: what the vendor said until now."""
    done = Pull.objects.filter(
        Exists(Page.objects.filter(pull=OuterRef("pk"))),
        connection=pull.connection_id,
        endpoint=pull.endpoint,
        state=Pull.State.DONE,
        pk__lt=pull.pk,
    )
    same_day = done.filter(day=pull.day) if pull.day else done.filter(day=None)
    return same_day.order_by("-pk").first()


def drop_if_same(pull: Pull) -> bool:
    """Where the vendor said the same as before, byte for byte, one copy is enough: the earlier one."""
    known = earlier(pull)
    if known is None or _hashes(known) != _hashes(pull):
        return False
    Page.objects.filter(pull=pull).delete()
    return True


def _hashes(pull: Pull) -> list[bytes]:
    return [bytes(each) for each in Page.objects.filter(pull=pull).order_by("number").values_list("sha256", flat=True)]


def forget_old(now: dt.datetime) -> int:
    """Deletes pages that later ones superseded longer ago than CONNECTORS_KEEP_PAGES_DAYS, and those of pulls that
    came to nothing as long ago; how many. The newest of each day stay."""
    until = now - dt.timedelta(days=settings.CONNECTORS_KEEP_PAGES_DAYS)
    newer = Pull.objects.filter(
        Q(day=OuterRef("pull__day")) | Q(day=None),  # an endpoint has days or is a list
        Exists(Page.objects.filter(pull=OuterRef("pk"))),
        connection=OuterRef("pull__connection"),
        endpoint=OuterRef("pull__endpoint"),
        state=Pull.State.DONE,
        pk__gt=OuterRef("pull"),
        finished_at__lt=until,
    )
    superseded = Page.objects.filter(Exists(newer), pull__state=Pull.State.DONE, pull__finished_at__lt=until)
    nothing = Page.objects.filter(pull__state__in=(Pull.State.FAILED, Pull.State.STOPPED), pull__finished_at__lt=until)
    return superseded.delete()[0] + nothing.delete()[0]
