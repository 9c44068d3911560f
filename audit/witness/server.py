"""The witness over HTTP: `POST /add-checkpoint`, bounded in size, time and number."""

import logging
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from audit.witness.deadline import within
from audit.witness.witness import Answer, Witness, WitnessError

logger = logging.getLogger(__name__)

LARGEST_BODY = 1 << 16
MOST_CONNECTIONS = 32
QUIET_SECONDS = 10
CONVERSATION_SECONDS = 60.0


class Server(ThreadingHTTPServer):
    """Answers for one witness; connections beyond MOST_CONNECTIONS are closed at once."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.witness = witness
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.info("a connection ended early", extra={"action": "witness"})


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "witness"
    sys_version = ""
    timeout = QUIET_SECONDS

    def handle(self) -> None:
        with within(CONVERSATION_SECONDS, self.connection):
            super().handle()

    def do_POST(self) -> None:
        body = self._body()
        if isinstance(body, Answer):
            self.close_connection = True  # what was sent is not read
            self._send(body)
        elif self.path != "/add-checkpoint":
            self._send(Answer(HTTPStatus.NOT_FOUND, "only POST /add-checkpoint is served here\n"))
        else:
            self._send(self._judged(body))

    def _body(self) -> bytes | Answer:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            return Answer(HTTPStatus.LENGTH_REQUIRED, "say how long the body is\n")
        if len(length) > 9 or int(length) > LARGEST_BODY:
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} bytes\n")
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else Answer(HTTPStatus.BAD_REQUEST, "the body ends early\n")

    def _judged(self, body: bytes) -> Answer:
        try:
            return self.server.witness.add_checkpoint(body)
        except (WitnessError, OSError):
            logger.exception("not cosigned", extra={"action": "witness"})
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the witness cannot tell what it cosigned last\n")

    def _send(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """No line for each request; what matters is logged where it is decided."""
