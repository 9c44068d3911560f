"""Packs are asked for, made and given out only if the ledger can say so (docs/ledger.md, "The portal's own acts")."""

from typing import Any

from django.db import transaction

from audit import acts, pasted, reasons
from audit.exceptions import AuditError
from audit.models import EvidencePack
from audit.packs.report import Extent


class NoReason(AuditError):
    """A pack is asked for with a reason that somebody can understand later."""


def kept_reason(reason: str) -> str:
    """As the row, the pack and the ledger keep it: without secrets. Raises NoReason."""
    if len(reason.strip()) < reasons.SHORTEST:
        raise NoReason(
            f"Say why in at least {reasons.SHORTEST} characters: the reason is recorded and stands in the pack."
        )
    return pasted.masked(reason.strip())


def ask(pack: EvidencePack) -> None:
    """Puts it among those that wait for a worker, and records that it was asked for. Raises NoReason, NotRecorded."""
    pack.reason = kept_reason(pack.reason)
    with transaction.atomic():
        pack.save(force_insert=True)
        record_request(pack)


def record_request(pack: EvidencePack) -> None:
    """Raises NotRecorded."""
    told = {
        "pack.kind": pack.kind,
        "pack.session": pack.session,
        "pack.first_seq": pack.first_seq,
        "pack.last_seq": pack.last_seq,
        "pack.selected": len(pack.numbers) or None,
        "pack.with_content": pack.with_content,
        "pack.with_identity": pack.with_identity,
    }
    _require("pack.requested", pack, pack.asked_by, told, {"reason": pack.reason, "title": pack.title})


def record_made(pack: EvidencePack, extent: Extent, sha256: str) -> None:
    """Raises NotRecorded."""
    told = {
        "pack.sha256": sha256,
        "pack.events": extent.events,
        "pack.first_seq": extent.first,
        "pack.last_seq": extent.last,
        "ledger.size": extent.size,
    }
    _require("pack.made", pack, pack.asked_by, told)


def record_download(pack: EvidencePack, by: str) -> None:
    """Raises NotRecorded."""
    _require("pack.downloaded", pack, by, {"pack.sha256": pack.sha256})


def _require(
    name: str, pack: EvidencePack, by: str, told: dict[str, Any], content: dict[str, str] | None = None
) -> None:
    """Packs that are written from a shell have no row, and no number."""
    facts = {key: value for key, value in {"pack.id": pack.pk, **told}.items() if value is not None}
    acts.require(name, by=by, facts=facts, content=content)
