"""Rules over where it goes and with what: endpoint, headers, token."""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from connectors import scopes
from connectors.linter.environment import SIGNALS, exported, is_on, protocol_of
from connectors.linter.pasted import Pasted
from connectors.linter.remarks import DOUBT, IGNORED, MISSING, NOTE, WRONG, Here, Remark
from connectors.snippets.commands import is_local
from connectors.snippets.levels import TOOL_DETAILS, WITHHELD
from connectors.tokens import spelling

ENDPOINT, HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"
_SIGNAL_PATH = re.compile(r"/v1/(logs|metrics|traces)/*$")


def remarks(pasted: Pasted, here: Here) -> Iterator[Remark]:
    sent = exported(pasted)
    yield from _endpoints(pasted, here, sent)
    yield from _headers(pasted, here, sent)


def _endpoints(pasted: Pasted, here: Here, sent: list[str]) -> Iterator[Remark]:
    own = {each: f"OTEL_EXPORTER_OTLP_{each.upper()}_ENDPOINT" for each in SIGNALS}
    named = {each: name for each, name in own.items() if name in pasted.variables}
    if ENDPOINT in pasted.variables:
        yield from _endpoint(pasted, here, ENDPOINT, protocol_of(pasted, next(iter(sent), "logs")))
        if _SIGNAL_PATH.search(pasted.get(ENDPOINT).partition("?")[0]):
            told = "The exporter adds /v1/logs and /v1/metrics by itself: leave the path off."
            yield Remark(WRONG, pasted.line(ENDPOINT), ENDPOINT, told)
    elif lost := [each for each in sent if each not in named]:
        told = f"Nothing says where {' and '.join(lost)} go. It is {here.endpoint}."
        yield Remark(MISSING, 0, ENDPOINT, told)
    for signal, name in named.items():
        yield from _endpoint(pasted, here, name, protocol_of(pasted, signal))
        if not re.search(rf"/{signal}/*$", urlsplit_or_none(pasted.get(name)).path):
            told = f"An endpoint of its own is taken as it is: it has to end in /v1/{signal}."
            yield Remark(WRONG, pasted.line(name), name, told)
        if ENDPOINT in pasted.variables:
            told = f"It wins over {ENDPOINT}. One is enough; managed settings that name only that take this out."
            yield Remark(DOUBT, pasted.line(name), name, told)


def urlsplit_or_none(text: str) -> SplitResult:
    """The URL's parts; empty ones where it is none."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def _endpoint(pasted: Pasted, here: Here, name: str, protocol: str) -> Iterator[Remark]:
    line, parts, portal = pasted.line(name), urlsplit_or_none(pasted.get(name)), urlsplit(here.endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield Remark(
            WRONG, line, name, f"It is no address that begins with http:// or https://. Ours is {here.endpoint}."
        )
        return
    if parts.username or parts.password or parts.query:
        yield Remark(WRONG, line, name, "No user, password or query belongs into it: the token goes into the header.")
    if parts.port == 4317 and protocol.startswith("http"):
        yield Remark(
            WRONG, line, name, "Port 4317 is gRPC's, and the protocol is HTTP: that is 4318, or the proxy's port."
        )
    if parts.port == 4318 and protocol == "grpc":
        yield Remark(WRONG, line, name, "Port 4318 is HTTP's, and the protocol is grpc.")
    if parts.hostname != portal.hostname:
        kind = NOTE if not is_local(pasted.get(name)) else DOUBT
        told = "It is another address than this portal's"
        told += ": this machine's own. Is there a Collector?" if kind == DOUBT else f", {here.endpoint}. A Collector's?"
        yield Remark(kind, line, name, told)
    elif parts.scheme != portal.scheme:
        told = f"This portal is reached with {portal.scheme}, not {parts.scheme}."
        clear = " The token would travel unencrypted." if parts.scheme == "http" else ""
        yield Remark(WRONG, line, name, told + clear)
    elif (parts.port or None) != (portal.port or None):
        yield Remark(DOUBT, line, name, f"This portal is reached at {here.endpoint}: the port differs.")


def _headers(pasted: Pasted, here: Here, sent: list[str]) -> Iterator[Remark]:
    names = [HEADERS, *(f"OTEL_EXPORTER_OTLP_{each.upper()}_HEADERS" for each in SIGNALS)]
    given = [name for name in names if name in pasted.variables]
    if pasted.helper:
        told = "The header comes from a script, at the start and every 29 minutes."
        yield Remark(NOTE, pasted.helper, "otelHeadersHelper", told)
        if given:
            yield Remark(
                DOUBT, pasted.line(given[0]), given[0], "There is a script for the header, too: one is enough."
            )
    elif not given and sent:
        yield Remark(MISSING, 0, HEADERS, "Without Authorization=Bearer and a token everything is refused with 401.")
    for name in given:
        yield from _header(pasted, here, name, sent)


def _header(pasted: Pasted, here: Here, name: str, sent: list[str]) -> Iterator[Remark]:
    line, text = pasted.line(name), pasted.get(name)
    if re.match(r"\s*authorization\s*:", text, re.IGNORECASE):
        yield Remark(WRONG, line, name, "Between a header's name and its value stands = here, not a colon.")
        return
    pairs = dict(_pair(each) for each in text.split(",") if each.strip())
    value = next((value for key, value in pairs.items() if key.strip().lower() == "authorization"), None)
    if value is None:
        if name == HEADERS:
            yield Remark(MISSING, line, name, "It names no Authorization: everything is refused with 401.")
        return
    if any(key != key.strip() for key in pairs) or value != value.strip():
        yield Remark(DOUBT, line, name, "Blanks around = or at the ends may become part of the header: take them out.")
    yield from _credential(pasted, here, name, value.strip(), sent)


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


def _credential(pasted: Pasted, here: Here, name: str, value: str, sent: list[str]) -> Iterator[Remark]:
    line = pasted.line(name)
    if value[:1] in {'"', "'"} or value[-1:] in {'"', "'"}:
        yield Remark(WRONG, line, name, "Quotes inside are sent as they stand: take them out.")
        value = value.strip("\"'")
    scheme, _, secret = value.replace("%20", " ").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        yield Remark(WRONG, line, name, "It has to be Bearer, a blank, and the token.")
        return
    yield from _token(pasted, here, name, secret.strip(), sent)


def _token(pasted: Pasted, here: Here, name: str, secret: str, sent: list[str]) -> Iterator[Remark]:
    line = pasted.line(name)
    if "<" in secret or "…" in secret or "..." in secret:
        yield Remark(WRONG, line, name, "A placeholder stands where the token belongs.")
    elif "$" in secret:
        if pasted.kind == "json":
            yield Remark(WRONG, line, name, "Settings replace no variables: the token itself belongs here.")
        else:
            yield Remark(NOTE, line, name, "The token comes from a variable of the shell; it could not be looked at.")
    elif not spelling.is_well_formed(secret):
        yield Remark(WRONG, line, name, "That is no token of this portal: it is cut, mistyped or from elsewhere.")
    elif spelling.kind_of(secret) != scopes.INGEST:
        told = (
            "That is an API token, which reads. Agents send with an ingestion token, agp_ing_… And it has been shown "
        )
        yield Remark(WRONG, line, name, f"{told}to whoever reads these settings: rotate it.")
    else:
        yield from _known(pasted, here, name, secret, sent)


def _known(pasted: Pasted, here: Here, name: str, secret: str, sent: list[str]) -> Iterator[Remark]:
    line, known = pasted.line(name), here.token(secret)
    if known is None:
        yield Remark(WRONG, line, name, "The token is well written, and not known here: it is another portal's.")
        return
    if known.ended:
        yield Remark(WRONG, line, name, f"The token “{known.name}” is {known.ended}: everything is refused.")
    for signal in sent:
        if signal in {"logs", "metrics"} and signal not in known.signals:
            selector = f"OTEL_{signal.upper()}_EXPORTER"
            told = f"The token “{known.name}” or its source takes no {signal}: they are refused. Say none."
            yield Remark(WRONG, pasted.line(selector), selector, told)
    if known.drops_content:
        for switch in (TOOL_DETAILS, *WITHHELD):
            if is_on(pasted.get(switch.name)):
                told = "The source of this token drops content: it would be sent, and not be kept. Switch it off."
                yield Remark(IGNORED, pasted.line(switch.name), switch.name, told)
    if not known.ended:
        yield Remark(NOTE, line, name, f"The token is “{known.name}”, and works.")
