"""Who works at Acme: teams, people, repositories, MCP servers."""

import hashlib
import uuid
from dataclasses import dataclass, field

CURRENT, OLD = "2.1.329", "2.1.197"
ORGANIZATION = "7c1de4a0-5b0f-4c53-9a43-2f6a1d0c9e11"


@dataclass(frozen=True, slots=True)
class Server:
    """An MCP server and what it can be asked for: a tool and the input of a usual call."""

    name: str
    transport: str
    scope: str
    calls: tuple[tuple[str, dict[str, object]], ...]


@dataclass(frozen=True, slots=True)
class Repository:
    name: str
    test: str
    build: str
    files: tuple[str, ...]
    servers: tuple[Server, ...] = ()
    owner: str = "acme"

    @property
    def url(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Person:
    """`identified` people are logged in to the organisation; the others' client knows only its installation."""

    name: str
    email: str
    team: str
    cost_center: str
    repositories: tuple[Repository, ...]
    weight: int = 3
    version: str = CURRENT
    os: str = "linux"
    terminal: str = "xterm-256color"
    entrypoint: str = "cli"
    identified: bool = True
    details: bool = True
    prompts: bool = True
    tells_entrypoint: bool = True
    resource: dict[str, str] = field(default_factory=dict)

    @property
    def install_id(self) -> str:
        return hashlib.sha256(f"acme installation of {self.email}".encode()).hexdigest()

    @property
    def account_uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.email))

    @property
    def account_id(self) -> str:
        return "user_01" + hashlib.sha256(self.email.encode()).hexdigest()[:22]

    @property
    def headless(self) -> bool:
        return self.entrypoint.startswith("sdk")


PROD_DB = Server(
    "prod-db",
    "stdio",
    "project",
    (
        (
            "query",
            {"sql": "select status, count(*) from refunds where created_at > now() - interval '1 day' group by 1"},
        ),
        ("query", {"sql": "select id, amount, currency from payments where state = 'stuck' order by id limit 50"}),
        ("describe_table", {"table": "ledger_entries"}),
    ),
)
TICKETS = Server(
    "tickets",
    "http",
    "user",
    (
        ("search_tickets", {"query": "rounding", "state": "open"}),
        ("create_ticket", {"title": "Refund of 0.005 rounds the wrong way", "priority": "P2"}),
        ("comment", {"id": "PAY-2231", "text": "Fixed by the change under review."}),
    ),
)
DOCS = Server(
    "docs-search", "http", "user", (("search", {"query": "idempotency keys"}), ("fetch", {"page": "runbook/on-call"}))
)
BROWSER = Server(
    "playwright",
    "stdio",
    "project",
    (("navigate", {"url": "http://localhost:5173/cart"}), ("screenshot", {"selector": "#checkout"})),
)
CLUSTER = Server(
    "kubernetes",
    "stdio",
    "project",
    (("get_pods", {"namespace": "payments-staging"}), ("logs", {"pod": "payments-api-7f9c", "tail": 200})),
)

PAYMENTS = Repository(
    "payments-api",
    "pytest -q",
    "docker build -t payments-api .",
    ("src/payments/rounding.py", "src/payments/refunds.py", "src/payments/api.py", "tests/test_refunds.py"),
    (PROD_DB, TICKETS),
)
LEDGER = Repository(
    "ledger-core",
    "go test ./...",
    "go build ./cmd/ledger",
    ("internal/journal/journal.go", "internal/journal/journal_test.go", "cmd/ledger/main.go"),
    (PROD_DB,),
)
SHOP = Repository(
    "storefront",
    "npm test",
    "npm run build",
    ("src/cart/Cart.tsx", "src/cart/useCart.ts", "src/checkout/Form.tsx", "package.json"),
    (BROWSER, TICKETS),
)
INFRA = Repository(
    "infrastructure",
    "terraform validate",
    "terraform plan -out=plan.bin",
    ("modules/database/main.tf", "environments/production/values.yaml", "modules/network/main.tf"),
    (CLUSTER,),
)
DATA = Repository(
    "data-pipelines",
    "pytest -q tests/unit",
    "dbt compile",
    ("models/revenue_daily.sql", "jobs/load_events.py", "jobs/test_load_events.py"),
    (PROD_DB, DOCS),
)
APP = Repository(
    "mobile-app",
    "./gradlew test",
    "./gradlew assembleDebug",
    ("app/src/main/kotlin/Login.kt", "app/src/test/kotlin/LoginTest.kt", "app/build.gradle.kts"),
    (DOCS,),
)

DANA = Person("Dana Reyes", "dana@acme.example", "payments", "eng-42", (PAYMENTS, LEDGER), 6)
NOAH = Person(
    "Noah Okafor", "noah@acme.example", "payments", "eng-42", (PAYMENTS,), 5, os="darwin", terminal="iTerm.app"
)
MIRA = Person(
    "Mira Lindqvist", "mira@acme.example", "payments", "eng-42", (LEDGER, PAYMENTS), 4, os="darwin", terminal="vscode"
)
TOMAS = Person(
    "Tomás Rivera", "tomas@acme.example", "storefront", "eng-50", (SHOP,), 5, os="darwin", terminal="WarpTerminal"
)
AIKO = Person("Aiko Tanaka", "aiko@acme.example", "storefront", "eng-50", (SHOP,), 4, terminal="vscode")
LENA = Person("Lena Fischer", "lena@acme.example", "platform", "eng-10", (INFRA,), 5, terminal="tmux")
IVAN = Person(
    "Ivan Petrov", "ivan@acme.example", "platform", "eng-10", (INFRA, PAYMENTS), 3, version=OLD, tells_entrypoint=False
)
PRIYA = Person(
    "Priya Nair",
    "priya@acme.example",
    "data",
    "eng-61",
    (DATA,),
    5,
    os="darwin",
    terminal="cursor",
    details=False,
    prompts=False,
)
SAM = Person(
    "Sam Whitfield", "sam@acme.example", "data", "eng-61", (DATA, LEDGER), 3, os="windows", terminal="windows-terminal"
)
YUSUF = Person(
    "Yusuf Demir",
    "yusuf@acme.example",
    "mobile",
    "eng-70",
    (APP,),
    4,
    os="darwin",
    terminal="Apple_Terminal",
    prompts=False,
)
CARLA = Person("Carla Mendes", "carla@acme.example", "mobile", "eng-70", (APP,), 2, tells_entrypoint=False)
CI = Person(
    "CI runner",
    "ci@acme.example",
    "platform",
    "eng-10",
    (PAYMENTS, SHOP, LEDGER),
    8,
    entrypoint="sdk-cli",
    terminal="dumb",
    identified=False,
)
NIGHTLY = Person(
    "Nightly report",
    "nightly@acme.example",
    "data",
    "eng-61",
    (DATA,),
    4,
    entrypoint="sdk-py",
    terminal="dumb",
    identified=False,
)

PEOPLE = (DANA, NOAH, MIRA, TOMAS, AIKO, LENA, IVAN, PRIYA, SAM, YUSUF, CARLA, CI, NIGHTLY)
