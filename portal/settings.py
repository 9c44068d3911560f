"""Settings: one file, from the environment (README, "Configuration"). Defaults are safe for production."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from audit.witness.known import Known
from portal import databases, env, state

BASE_DIR = Path(__file__).resolve().parent.parent
STATE = state.here()

# ── Core ────────────────────────────────────────────────────────────────────────────────────────
DEBUG = env.boolean("PORTAL_DEBUG", False)
SECRET_KEY = env.text("PORTAL_SECRET_KEY") or STATE.secret("django.key")
WEB_HOST, WEB_PORT = env.address("PORTAL_BIND", "127.0.0.1:8000")
PUBLIC_URL = env.text("PORTAL_PUBLIC_URL", f"http://{WEB_HOST}:{WEB_PORT}").rstrip("/")
ENVIRONMENT = env.text("PORTAL_ENVIRONMENT")
ALLOWED_HOSTS = list(env.names("PORTAL_ALLOWED_HOSTS", ("*",)))
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "ingest.apps.IngestConfig",
    "connectors.apps.ConnectorsConfig",
    "audit.apps.AuditConfig",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "django_celery_beat",
    "django_filters",
    "drf_spectacular",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "portal.errors.NotRecordedMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ── Database ────────────────────────────────────────────────────────────────────────────────────
# Two logins of one database: `default` may only add evidence and read it, `owner` migrates and keeps partitions.
DATABASES = {"default": databases.application(), "owner": databases.owner()}
DATABASE_ROUTERS = ["portal.databases.Router"]

# ── Broker and tasks ────────────────────────────────────────────────────────────────────────────
CELERY_BROKER_URL = databases.broker()
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# ── Time and language ───────────────────────────────────────────────────────────────────────────
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = "portal.formats"

# ── People who log in ───────────────────────────────────────────────────────────────────────────
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
AXES_FAILURE_LIMIT = env.integer("PORTAL_LOGIN_FAILURES", 5, minimum=1)
AXES_COOLOFF_TIME = 0.5  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False  # no line about itself from every process and command
AXES_LOCKOUT_TEMPLATE = "admin/lockout.html"

# ── Browsers ────────────────────────────────────────────────────────────────────────────────────
SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = False  # the proxy that ends TLS redirects; the health checks behind it speak plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # no redirect to TLS here: see SECURE_SSL_REDIRECT
    "security.W021",  # to enter a browser's preload list is for the owner of the domain to decide
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# ── Static files ────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "static/"
STATIC_ROOT = STATE.root / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False

# ── REST ────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["audit.api.renderers.JSONRenderer", "audit.api.renderers.CSVRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["connectors.api.authentication.ApiTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["connectors.api.authentication.RequiresScope"],
    "DEFAULT_PAGINATION_CLASS": "audit.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["audit.api.filters.FilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "audit.api.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "audit.api.problem.handler",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is the feed's own parameter
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Agent Governance Portal",
    "DESCRIPTION": "Evidence of what coding agents did and who allowed it. docs/api.md tells how to use it.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "apiToken": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API token (`agp_api_…`). What an operation takes of its scopes stands beside it.",
            }
        }
    },
}

# ── Evidence ────────────────────────────────────────────────────────────────────────────────────
AUDIT_IDENTITY_KEY = STATE.secret_bytes("identity.key")
AUDIT_DUPLICATE_WINDOW_DAYS = 30
AUDIT_SIGNER_FOLDER = STATE.root / "signer"
AUDIT_SIGNS = env.boolean("AUDIT_SIGNS", True)  # one host signs; on the others, that share its database, 0
AUDIT_LEDGER_HOST = urlsplit(PUBLIC_URL).hostname or "localhost"  # part of the origin that checkpoints state
AUDIT_PACK_FOLDER = Path(env.text("AUDIT_PACK_FOLDER") or STATE.root / "packs")  # shared by all hosts, if several
AUDIT_PACK_DAYS = env.integer("AUDIT_PACK_DAYS", 7, minimum=1)
AUDIT_VERIFY_EVERY_HOURS = env.integer("AUDIT_VERIFY_EVERY_HOURS", 24, minimum=1)
AUDIT_VERIFIED_WITHIN_HOURS = env.integer("AUDIT_VERIFIED_WITHIN_HOURS", 48, minimum=1)  # later it is told as overdue
AUDIT_WITNESSES = env.each("AUDIT_WITNESSES", Known.parse)
AUDIT_WITNESS_QUORUM = env.integer("AUDIT_WITNESS_QUORUM", len(AUDIT_WITNESSES) // 2 + 1 if AUDIT_WITNESSES else 0)
AUDIT_WITNESS_FOLDER = STATE.root / "witness"  # of a witness that this host is for others
AUDIT_PARTITION_MONTHS_AHEAD = 3
AUDIT_TEAM_ATTRIBUTES = env.names("AUDIT_TEAM_ATTRIBUTES", ("team.id", "team", "department"))
AUDIT_COST_CENTER_ATTRIBUTES = env.names(
    "AUDIT_COST_CENTER_ATTRIBUTES", ("cost_center", "cost_center.id", "cost.center")
)
AUDIT_REPOSITORY_ATTRIBUTES = env.names(
    "AUDIT_REPOSITORY_ATTRIBUTES", ("vcs.repository.url.full", "vcs.repository.name", "repository", "repo")
)

# ── Connectors ──────────────────────────────────────────────────────────────────────────────────
CONNECTORS_KEY_FOLDER = Path(
    env.text("CONNECTORS_KEY_FOLDER") or STATE.root / "keys"
)  # neither in the database nor in its backup
CONNECTORS_ANTHROPIC_URL = env.text("CONNECTORS_ANTHROPIC_URL", "https://api.anthropic.com").rstrip("/")
CONNECTORS_OPENAI_URL = env.text("CONNECTORS_OPENAI_URL", "https://api.openai.com").rstrip("/")
CONNECTORS_REQUESTS_PER_MINUTE = env.integer("CONNECTORS_REQUESTS_PER_MINUTE", 60, minimum=1)  # where a vendor limits
CONNECTORS_LEASE_SECONDS = env.integer("CONNECTORS_LEASE_SECONDS", 120, minimum=1)  # of a pull, from page to page
CONNECTORS_KEEP_PAGES_DAYS = env.integer("CONNECTORS_KEEP_PAGES_DAYS", 400, minimum=1)  # those that others superseded

CONNECTORS_CANARY = env.boolean("CONNECTORS_CANARY", True)  # a record of our own every five minutes

# ── Receiver ────────────────────────────────────────────────────────────────────────────────────
OTLP_HTTP_HOST, OTLP_HTTP_PORT = env.address("OTLP_HTTP_BIND", "127.0.0.1:4318")
OTLP_PUBLIC_URL = env.text("OTLP_PUBLIC_URL", f"http://{OTLP_HTTP_HOST}:{OTLP_HTTP_PORT}").rstrip("/")
INGEST_SECRET_KEY = STATE.secret_bytes("fingerprint.key")
# One process runs Python on one core; a second writer thread in it was measured to add nothing.
INGEST_RECEIVERS = env.integer("INGEST_RECEIVERS", min(2, os.cpu_count() or 1), minimum=1)
INGEST_WRITER_THREADS = env.integer("INGEST_WRITER_THREADS", 1, minimum=1)
INGEST_HEAVY_LOCK = STATE.folder("run") / "heavy.lock"
INGEST_TRUSTED_PROXIES = env.names("PORTAL_TRUSTED_PROXIES")

# ── Logs ────────────────────────────────────────────────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "portal.logs.JsonFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": env.text("PORTAL_LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"handlers": [], "propagate": False}},
}
