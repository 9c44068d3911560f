"""One JSON object a line, so that nothing a client sends can forge a second line.

What a client asked for and is refused (4xx) is a warning of one line. Django logs the exception that the refusal was
made of, and its security logger calls it an error; a traceback is kept for what is the portal's own fault.
"""

import datetime as dt
import json
import logging
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `logger`, `message`, what was passed as `extra`, and the exception if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            line["request"] = f"{request.method} {request.path}"  # without the query, which may hold what it should not
        if getattr(record, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR) < HTTPStatus.INTERNAL_SERVER_ERROR:
            line["level"] = logging.getLevelName(min(record.levelno, logging.WARNING))
            if record.exc_info and record.exc_info[0]:
                line["error"] = record.exc_info[0].__name__
        elif record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
