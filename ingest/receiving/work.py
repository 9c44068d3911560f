"""A request on its way through a writer."""

from dataclasses import dataclass, field

from connectors.tokens import Refusal, TokenRecord
from ingest.receiving.answers import UNAVAILABLE
from ingest.receiving.preparation import SPANS_REFUSED, Decoded, Prepared
from ingest.receiving.requests import Outcome, Request


@dataclass(slots=True)
class Work:
    """`outcome` is set as soon as the request is decided: refused, or stored and committed.

    `kept_whole`: an earlier part of the same request has put all of it into quarantine.
    """

    request: Request
    digest: bytes
    decoded: Decoded = field(default_factory=Decoded)
    token: TokenRecord | None = None
    prepared: Prepared | None = None
    outcome: Outcome | None = None
    kept_whole: bool = False

    @property
    def hint(self) -> str | None:
        """The agent that the path names, else the one its source is set to."""
        return self.request.route.hint or (self.token.agent if self.token else None)

    @property
    def keeps_too_much(self) -> bool:
        """Whether it was prepared with content that its source, as it is now, does not keep."""
        return bool(self.token and self.prepared and self.prepared.keeps_content and not self.token.keeps_content)

    def refuse(self, refusal: Refusal) -> None:
        self.outcome = Outcome(refusal, self.token.id if self.token else 0)
        self.prepared = None

    def outcome_after(self, stored: int) -> Outcome:
        """What the request is told once its transaction is committed."""
        token_id = self.token.id if self.token else 0
        if self.prepared is None:
            return Outcome(self.decoded.refusal or UNAVAILABLE, token_id)
        kept = len(self.prepared.events) + len(self.prepared.points)
        reasons = [*(why for why, _ in self.prepared.unusable), *self.prepared.failed]
        rejected = len(reasons) + self.prepared.spans
        message = SPANS_REFUSED if self.prepared.spans else next(iter(reasons), "")
        return Outcome(None, token_id, stored, kept - stored, rejected, message)
