"""Typed readers of environment variables. They fail loudly: a typo must not become a default.

Every reader also takes the value from the file named in `NAME_FILE`, so that secrets need not stand in the environment.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class SettingError(Exception):
    """An environment variable that cannot be used; the message names it and says what it takes."""


def text(name: str, default: str = "") -> str:
    """The variable's text, or that of the file named in `<name>_FILE`, without surrounding white space."""
    if file := os.environ.get(f"{name}_FILE"):
        if name in os.environ:
            raise SettingError(f"{name} and {name}_FILE are both set; keep one.")
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{name}_FILE: {error.strerror}: {file}") from error
    return os.environ.get(name, default).strip()


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {value!r}.") from None
    if number < minimum:
        raise SettingError(f"{name} must be at least {minimum}, not {number}.")
    return number


def boolean(name: str, default: bool) -> bool:
    value = text(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise SettingError(f"{name} must be 1 or 0, not {value!r}.")
    return default


def names(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A comma-separated list."""
    value = text(name)
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else default


def each(name: str, read: Callable[[str], T]) -> tuple[T, ...]:
    """A comma-separated list of what `read` makes of each entry; it raises ValueError for what it cannot read."""
    try:
        return tuple(map(read, names(name)))
    except ValueError as error:
        raise SettingError(f"{name}: {error}.") from None


def address(name: str, default: str) -> tuple[str, int]:
    """`host:port`, IPv6 hosts in brackets."""
    value = text(name, default) or default
    host, separator, port = value.rpartition(":")
    if not separator or not port.isdecimal() or not 0 < int(port) < 65536:
        raise SettingError(f"{name} must be host:port, such as 127.0.0.1:8000, not {value!r}.")
    return host.strip("[]") or "127.0.0.1", int(port)
