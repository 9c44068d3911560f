"""Asking a vendor over HTTP: GET only, bounded in time and size, and every failure in plain words.

The key travels in a header, and nowhere else. What `requests` raises holds the request and so the key: errors of ours
are therefore raised outside of its handlers, with neither cause nor context. Proxies are those of the environment
(HTTPS_PROXY, NO_PROXY); a .netrc is not read, as it would replace the key.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import requests
import urllib3

from connectors.vendors.refusals import refusal
from connectors.vendors.shape import VendorError

VERSION = "0.1.0"
CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
WHOLE_SECONDS = 300.0
"""For an answer that trickles: so long may all of it take."""
MAX_BODY_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_ERROR_BYTES = 64 * 1024
"""So much of an error's body is read; more than words is not expected in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came with status 200. Header names are lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class Client:
    """One vendor's address. `about` is a web address where the vendor may read who asks."""

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        about: str = "",
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        whole_seconds: float = WHOLE_SECONDS,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.vendor, self.base_url = vendor, base_url.rstrip("/")
        self.user_agent = f"AgentGovernancePortal/{VERSION}" + (f" (+{about})" if about else "")
        self._timeouts, self._whole_seconds, self._max_body_bytes = timeouts, whole_seconds, max_body_bytes

    def get(self, path: str, query: Sequence[tuple[str, str]], *, key: str, headers: Mapping[str, str]) -> Answer:
        """The answer with status 200, whole. Raises VendorError for everything else."""
        if not _can_travel(key):
            raise VendorError(
                "This is no key: it holds spaces, line breaks or characters that no key has. Paste it again.",
                refused=True,
            )
        response, failure = self._asked(path, query, headers)
        if response is None:
            raise failure or VendorError(f"{self.vendor} could not be asked.")
        with response:
            body, failure = self._body(response)
        if failure is not None:
            raise failure
        if response.status_code != requests.codes.ok:
            raise refusal(self.vendor, response.status_code, response.headers, body, key)
        return Answer(response.status_code, body, {name.lower(): value for name, value in response.headers.items()})

    def _asked(
        self, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str]
    ) -> tuple[requests.Response | None, VendorError | None]:
        sent = {"User-Agent": self.user_agent, "Accept": "application/json", **headers}
        try:
            with requests.Session() as session:
                response = session.get(
                    self.base_url + path,
                    params=list(query),
                    headers=sent,
                    timeout=self._timeouts,
                    allow_redirects=False,
                    stream=True,
                    auth=_as_it_is,
                )
                return response, None
        except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError, ValueError) as error:
            return None, VendorError(_words(self.vendor, error))

    def _body(self, response: requests.Response) -> tuple[bytes, VendorError | None]:
        """The body, decompressed and bounded; of an error's only the beginning. What breaks off has no status."""
        good = response.status_code == requests.codes.ok
        until = time.monotonic() + self._whole_seconds
        body = bytearray()
        try:
            for chunk in response.iter_content(_CHUNK_BYTES):
                body += chunk
                if not good and len(body) >= _ERROR_BYTES:
                    break
                if len(body) > self._max_body_bytes:
                    return b"", VendorError(
                        f"{self.vendor} answered with more than {self._max_body_bytes // 2**20} MiB, "
                        "which is no report. Look at whose address is set for it, and at the proxy."
                    )
                if time.monotonic() > until:
                    return b"", VendorError(
                        f"{self.vendor} was still answering after {self._whole_seconds:.0f} seconds. "
                        "It is asked again later."
                    )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if good:
                return b"", VendorError(_words(self.vendor, error, begun=True))
        return bytes(body), None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An `auth` that changes nothing, and by being there keeps `requests` from asking .netrc for another."""
    return request


def _can_travel(key: str) -> bool:
    return bool(key) and key.isascii() and key.isprintable() and " " not in key


def _words(vendor: str, error: Exception, *, begun: bool = False) -> str:
    """What happened and what to do, from the kind of error alone: its own text may hold the request."""
    if isinstance(error, requests.exceptions.SSLError):
        return (
            f"The certificate of {vendor}'s address was not accepted. If a proxy inspects TLS, "
            "its authority must be in REQUESTS_CA_BUNDLE; otherwise somebody else answers there."
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return f"The proxy did not let the request through to {vendor}. Look at HTTPS_PROXY and NO_PROXY."
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"{vendor} could not be reached in time. Is a proxy needed (HTTPS_PROXY)? It is asked again later."
    if isinstance(error, requests.exceptions.ReadTimeout) or (begun and "timed out" in str(error)):
        return f"{vendor} did not answer in time. It is asked again later."
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return f"{vendor}'s answer could not be decompressed. It is asked again later."
    if begun or isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{vendor}'s answer broke off in the middle. Nothing of it is used; it is asked again later."
    if isinstance(error, requests.exceptions.ConnectionError):
        return (
            f"There is no connection to {vendor}: nobody answers at its address, or the connection was closed. "
            "Is a proxy needed (HTTPS_PROXY)? It is asked again later."
        )
    return f"{vendor} could not be asked: the address that is set for it, or that of the proxy, is none."
