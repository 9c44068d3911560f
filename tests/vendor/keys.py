"""The fake vendor's keys, by kind. They open nothing but the fake."""

import hashlib
from dataclasses import dataclass


def _made(prefix: str, seed: str) -> str:
    return prefix + hashlib.sha256(f"{seed}/{prefix}".encode()).hexdigest()[:48] + "-FaKeAA"


@dataclass(frozen=True)
class Keys:
    admin: str
    analytics: str
    without_scope: str
    standard: str
    oauth: str
    openai_admin: str
    openai_project: str

    @classmethod
    def of(cls, seed: str) -> "Keys":
        return cls(
            admin=_made("sk-ant-admin01-", seed),
            analytics=_made("sk-ant-api01-", seed),
            without_scope=_made("sk-ant-api01-", seed + "/members"),
            standard=_made("sk-ant-api03-", seed),
            oauth=_made("sk-ant-oat01-", seed),
            openai_admin=_made("sk-admin-", seed),
            openai_project=_made("sk-proj-", seed),
        )
