"""Which servers are used: those the environment names, else the embedded ones."""

from typing import Any

from psycopg.conninfo import conninfo_to_dict

from portal import env, state


def application() -> dict[str, Any]:
    return _django(env.text("DATABASE_URL") or state.here().database_url(state.APPLICATION))


def owner() -> dict[str, Any]:
    return _django(
        env.text("DATABASE_OWNER_URL") or env.text("DATABASE_URL") or state.here().database_url(state.OWNER),
    )


def broker() -> str:
    return env.text("CELERY_BROKER_URL") or state.here().broker_url()


def _django(url: str) -> dict[str, Any]:
    """Django's description of what libpq understands as a connection string."""
    parameters = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parameters.pop("dbname", ""),
        "USER": parameters.pop("user", ""),
        "PASSWORD": parameters.pop("password", ""),
        "HOST": parameters.pop("host", ""),
        "PORT": str(parameters.pop("port", "")),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **parameters},
    }


class Router:
    """Everything is read and written as the application; what a migration loaded as the owner stays with the owner."""

    def db_for_read(self, model: type, **hints: Any) -> str:
        instance = hints.get("instance")
        return (instance and instance._state.db) or "default"

    db_for_write = db_for_read

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        return True
