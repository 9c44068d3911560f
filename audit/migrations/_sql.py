"""Reads the SQL that stands beside a migration. A released file is frozen; change it by adding a new one."""

from pathlib import Path


def read(name: str) -> str:
    return (Path(__file__).parent / "sql" / name).read_text(encoding="utf-8")
