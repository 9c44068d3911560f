"""Known secrets are found wherever they stand; nothing else is touched; hostile text costs linear time.

Secrets are made here at random, so that no scanner takes this file for a leak.
"""

import base64
import json
import random
import re
import string
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import secrets
from ingest.secret_rules import PREFIX_RULES, WORD_RULES, WORDS
from ingest.secrets import UNTOUCHED, Scrubber
from tests.ingest.agents.captured import SCENARIOS, bodies

KEY = b"k" * 32
dice = random.Random(20261121)

ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"


def some(alphabet: str, length: int) -> str:
    """Random characters, of which the first two are a letter and a digit."""
    return (dice.choice(string.ascii_letters if "g" in alphabet or "A" in alphabet else "abcdef") + "7")[
        :length
    ] + "".join(dice.choices(alphabet, k=length - 2))


def of(alphabet: str, length: int) -> str:
    return "".join(dice.choices(alphabet, k=length))


HEX = "0123456789abcdef"

PREFIXED: dict[str, tuple[str, str]] = {
    "anthropic api": ("anthropic", f"sk-ant-api03-{of(URLSAFE, 93)}AA"),
    "anthropic admin": ("anthropic", f"sk-ant-admin01-{of(URLSAFE, 93)}AA"),
    "anthropic oauth": ("anthropic", f"sk-ant-oat01-{of(URLSAFE, 80)}"),
    "openai": ("openai", f"sk-{of(ALNUM, 48)}"),
    "openai project": ("openai", f"sk-proj-{of(URLSAFE, 120)}"),
    "openai service account": ("openai", f"sk-svcacct-{of(URLSAFE, 100)}"),
    "openrouter": ("openrouter", f"sk-or-v1-{of(HEX, 64)}"),
    "aws key id": ("aws_key_id", f"AKIA{of(UPPER, 16)}"),
    "aws temporary key id": ("aws_key_id", f"ASIA{of(UPPER, 16)}"),
    "github classic": ("github", f"ghp_{of(ALNUM, 36)}"),
    "github oauth": ("github", f"gho_{of(ALNUM, 36)}"),
    "github user": ("github", f"ghu_{of(ALNUM, 36)}"),
    "github server": ("github", f"ghs_{of(ALNUM, 36)}"),
    "github refresh": ("github", f"ghr_{of(ALNUM, 76)}"),
    "github fine-grained": ("github", f"github_pat_{of(ALNUM, 22)}_{of(ALNUM, 59)}"),
    "gitlab": ("gitlab", f"glpat-{of(URLSAFE, 20)}"),
    "gitlab deploy": ("gitlab", f"gldt-{of(URLSAFE, 20)}"),
    "gitlab runner": ("gitlab", f"glrt-{of(URLSAFE, 20)}"),
    "slack bot": ("slack", f"xoxb-{of(string.digits, 12)}-{of(string.digits, 12)}-{of(ALNUM, 24)}"),
    "slack user": ("slack", f"xoxp-{of(string.digits, 12)}-{of(string.digits, 12)}-{of(HEX, 32)}"),
    "slack app": ("slack", f"xapp-1-A{of(UPPER, 10)}-{of(string.digits, 13)}-{of(HEX, 64)}"),
    "google api": ("google", f"AIza{of(URLSAFE, 35)}"),
    "google access": ("google_oauth", f"ya29.{of(URLSAFE, 120)}"),
    "google client": ("google_oauth", f"GOCSPX-{of(URLSAFE, 28)}"),
    "stripe live": ("stripe", f"sk_live_{of(ALNUM, 24)}"),
    "stripe test": ("stripe", f"sk_test_{of(ALNUM, 24)}"),
    "stripe restricted": ("stripe", f"rk_live_{of(ALNUM, 24)}"),
    "stripe webhook": ("stripe", f"whsec_{of(ALNUM, 32)}"),
    "npm": ("npm", f"npm_{of(ALNUM, 36)}"),
    "pypi": ("pypi", f"pypi-AgEIcHlwaS5vcmc{of(URLSAFE, 150)}"),
    "portal ingestion": ("portal", f"agp_ing_{of(ALNUM, 49)}"),
    "portal api": ("portal", f"agp_api_{of(ALNUM, 49)}"),
    "jwt": ("jwt", f"eyJ{of(URLSAFE, 30)}.eyJ{of(URLSAFE, 80)}.{of(URLSAFE, 43)}"),
    "sendgrid": ("sendgrid", f"SG.{of(URLSAFE, 22)}.{of(URLSAFE, 43)}"),
    "vault": ("vault", f"hvs.{of(URLSAFE, 90)}"),
    "hugging face": ("huggingface", f"hf_{of(ALNUM, 34)}"),
    "groq": ("groq", f"gsk_{of(ALNUM, 52)}"),
    "digitalocean": ("digitalocean", f"dop_v1_{of(HEX, 64)}"),
    "docker": ("docker", f"dckr_pat_{of(URLSAFE, 27)}"),
    "shopify": ("shopify", f"shpat_{of(HEX, 32)}"),
    "databricks": ("databricks", f"dapi{of(HEX, 32)}"),
    "atlassian": ("atlassian", f"ATATT3xFfGF0{of(URLSAFE, 170)}=1A2B3C4D"),
    "grafana": ("grafana", f"glsa_{of(ALNUM, 32)}_{of(HEX, 8)}"),
    "linear": ("linear", f"lin_api_{of(ALNUM, 40)}"),
    "postman": ("postman", f"PMAK-{of(HEX, 24)}-{of(HEX, 34)}"),
    "tailscale": ("tailscale", f"tskey-auth-{of(ALNUM, 12)}-{of(ALNUM, 32)}"),
    "telegram": ("telegram", f"{of('123456789', 10)}:AA{of(URLSAFE, 33)}"),
    "twilio": ("twilio", f"SK{of(HEX, 32)}"),
    "azure client": ("azure_client_secret", f"{of(ALNUM, 3)}8Q~{of(ALNUM, 34)}"),
}

CONTEXTS: dict[str, Callable[[str], str]] = {
    "command": lambda secret: f"export THE_KEY={secret} && make deploy",
    "quoted": lambda secret: f"curl -d '{secret}' https://api.example/v1",
    "prose": lambda secret: f"Please use {secret} for the call, and tell nobody.",
    "alone": lambda secret: secret,
    "url": lambda secret: f"https://api.example/v1/send?k={secret}&page=2",
    "json": lambda secret: json.dumps({"command": f"echo {secret}", "n": 1}),
    "json in json": lambda secret: json.dumps({"body": json.dumps({"value": secret})}),
    "a new line in json": lambda secret: json.dumps({"content": f"first\n{secret}\nlast"}),
    "yaml": lambda secret: f"env:\n  - name: X\n    value: {secret}\n",
    "markdown": lambda secret: f"The value is `{secret}`.",
}

SECRET_WORD = "Tr0ub4dor&3x"
TOKEN = "a1B2c3D4e5F6g7H8"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEY0"
PEM_BODY = "\n".join(of(BASE64, 64) for _ in range(6))
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\n-----END RSA PRIVATE KEY-----"

IN_PLACE: dict[str, tuple[str, str]] = {
    "bearer header": (f"curl -H 'Authorization: Bearer {TOKEN}' https://x.example", TOKEN),
    "bearer header in json": (json.dumps({"command": f'curl -H "Authorization: Bearer {TOKEN}" x'}), TOKEN),
    "basic header": ("Authorization: Basic ZGFuYTpodW50ZXIy", "ZGFuYTpodW50ZXIy"),
    "header as a setting": (f"OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20{TOKEN}", TOKEN),
    "header in a dictionary": (f'headers = {{"Authorization": "Bearer {TOKEN}"}}', TOKEN),
    "proxy header": (f"Proxy-Authorization: Basic {TOKEN}", TOKEN),
    "bearer alone": (f"the bearer {TOKEN}{TOKEN} was used", TOKEN + TOKEN),
    "api key header": (f"x-api-key: {TOKEN}", TOKEN),
    "url": (f"postgresql://app:{SECRET_WORD}@db.example/payments", SECRET_WORD),
    "url with an at in the password": ("redis://:p@ss1word@cache:6379/0", "p@ss1word"),
    "url in json": (json.dumps({"command": f"psql postgres://app:{SECRET_WORD}@db/x"}), SECRET_WORD),
    "environment": (f"PGPASSWORD={SECRET_WORD} psql -h db", SECRET_WORD),
    "environment, quoted": (f'export DB_PASSWORD="{SECRET_WORD}"', SECRET_WORD),
    "environment, short": (f"MYSQL_PWD={SECRET_WORD} mysqldump x", SECRET_WORD),
    "environment, pass": (f"SMTP_PASS={SECRET_WORD}", SECRET_WORD),
    "letters only": ("password=correcthorse", "correcthorse"),
    "flag": (f"mysqladmin --password {SECRET_WORD} status", SECRET_WORD),
    "flag with an equals sign": (f"tool --db-password={SECRET_WORD} run", SECRET_WORD),
    "flag in a json list": (json.dumps({"args": ["--password", SECRET_WORD]}), SECRET_WORD),
    "token flag": (f"vault login --token {TOKEN}", TOKEN),
    "mysql": (f"mysql -u root -p{SECRET_WORD.replace('&', '_')} shop", SECRET_WORD.replace("&", "_")),
    "mysql over lines in json": (json.dumps({"c": "mysql -u root \\\n-pSup3rS3cret\tshop"}), "Sup3rS3cret"),
    "flag over lines in json": (json.dumps({"c": "tool \\\n\t--password\nSup3rS3cret"}), "Sup3rS3cret"),
    "sshpass": (f"sshpass -p {SECRET_WORD.replace('&', '_')} ssh host", SECRET_WORD.replace("&", "_")),
    "docker login": ("docker login -u dana -p Sup3rS3cret registry.example", "Sup3rS3cret"),
    "redis-cli": ("redis-cli -h cache -a Sup3rS3cret ping", "Sup3rS3cret"),
    "curl user": ("curl -u dana:Sup3rS3cret https://x.example", "Sup3rS3cret"),
    "curl user, long": ("curl --user 'dana:Sup3rS3cret' https://x.example", "Sup3rS3cret"),
    "netrc": ("machine x.example login dana password Sup3rS3cret", "Sup3rS3cret"),
    "sql": ("CREATE USER app IDENTIFIED BY 'Sup3r S3cret';", "Sup3r S3cret"),
    "sql, postgresql": ("ALTER ROLE app PASSWORD 'Sup3rS3cret'", "Sup3rS3cret"),
    "json key": (json.dumps({"password": "with space 1", "x": 1}), "with space 1"),
    "json key in json": (json.dumps({"input": json.dumps({"client_secret": TOKEN})}), TOKEN),
    "yaml": (f"password: {SECRET_WORD}", SECRET_WORD),
    "connection string": (f"Server=db;User Id=app;Password={SECRET_WORD};Timeout=5", SECRET_WORD),
    "query": (f"GET /login?user=dana&password={SECRET_WORD.split('&')[0]}&x=1", SECRET_WORD.split("&")[0]),
    "api key": (f"API_KEY={TOKEN}", TOKEN),
    "client secret": (f"client_secret: '{TOKEN}'", TOKEN),
    "npmrc": (f"//registry.example/:_authToken={TOKEN}", TOKEN),
    "aws secret": (f"aws_secret_access_key = {AWS_SECRET}", AWS_SECRET),
    "aws secret, configured": (f"aws configure set aws_secret_access_key {AWS_SECRET}", AWS_SECRET),
    "aws secret in json": (json.dumps({"SecretAccessKey": AWS_SECRET}), AWS_SECRET),
    "azure storage": (f"AccountName=x;AccountKey={of(BASE64, 86)}==;EndpointSuffix=core", "AccountKey="),
    "azure signature": (f"https://x.blob.core.windows.net/c?sv=2022&sig={of(ALNUM, 44)}%3D", "sig="),
    "slack webhook": (f"https://hooks.slack.com/services/T{of(UPPER, 8)}/B{of(UPPER, 8)}/{of(ALNUM, 24)}", "services/"),
    "private key": (PEM, PEM_BODY),
    "private key in json": (json.dumps({"private_key": PEM + "\n"}), PEM_BODY.replace("\n", "\\n")),
    "private key, cut off": (PEM[:200], PEM_BODY[:64]),
    "private key, encrypted": (
        PEM.replace("KEY-----\n", f"KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{of(HEX, 32)}\n\n", 1),
        PEM_BODY,
    ),
    "openssh key": (PEM.replace("RSA", "OPENSSH"), PEM_BODY),
}
UP_TO_THE_SECRET = {"azure storage", "azure signature", "slack webhook"}
"""Here the second text is what stands before the secret."""


def scrubbed(text: str) -> str:
    return Scrubber(KEY).text(text)


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())
@pytest.mark.parametrize(("rule", "secret"), PREFIXED.values(), ids=PREFIXED.keys())
def test_it_finds_every_vendors_secret_wherever_it_stands(
    rule: str, secret: str, context: Callable[[str], str]
) -> None:
    text = context(secret)
    result = scrubbed(text)
    assert secret not in result
    assert re.sub(r"\[redacted:[a-z_]+:[0-9a-f]{8}\]", "*", result) == context("*")
    if context(secret) == secret:
        assert re.fullmatch(rf"\[redacted:{rule}:[0-9a-f]{{8}}\]", result)


@pytest.mark.parametrize(("text", "secret"), IN_PLACE.values(), ids=IN_PLACE.keys())
def test_it_finds_secrets_by_the_place_they_stand_in(text: str, secret: str, request: pytest.FixtureRequest) -> None:
    result = scrubbed(text)
    if request.node.callspec.id in UP_TO_THE_SECRET:
        assert f"{secret}[redacted:" in result
    else:
        assert secret not in result
        assert "[redacted:" in result
    if text.startswith("{"):
        assert json.loads(result)


def test_it_covers_at_least_forty_kinds() -> None:
    assert len(PREFIXED) + len(IN_PLACE) >= 80


def test_it_keeps_everything_around_a_secret() -> None:
    result = scrubbed("git clone https://dana:hunter22@git.example/pay.git /tmp/pay")
    assert re.fullmatch(
        r"git clone https://dana:\[redacted:url_password:[0-9a-f]{8}\]@git\.example/pay\.git /tmp/pay", result
    )


HARMLESS_TEXTS = """
    password=getpass() | password=args.password | password=$DB_PASSWORD | password="${DB_PASSWORD}" | password: str
    password=None | PASSWORD_FILE=/run/secrets/db | cd $PWD && ls | PWD=/home/dana/payments | pwd | echo $STRIPE_KEY
    max_tokens=4096 | token_count: 18200 | tokens=100 | cache_read_tokens=18200 | token=None | def token(self) -> str:
    Authorization: Bearer $TOKEN | Authorization: Bearer ${TOKEN} | Authorization: Bearer <token> | Basic idea: try it
    the bearer of bad news | authorization required | authorization: none | https://user@example.com/x
    https://example.com:8443/path@1.2.3 | git@github.com:acme/payments-api.git | ssh://git@github.com/acme/x
    npm_config_registry=x | npm run build | pypi-publish-action@v1 | sk-learn and task-runner-with-a-long-name-indeed
    ask-for-something-very-long-with-dashes | risk-assessment-2026-11-21-final | -----BEGIN CERTIFICATE-----
    -----BEGIN PUBLIC KEY----- | mkdir -p /tmp/acme | cp -p a b | docker run -p 8080:80 nginx | ssh -p 2222 host
    key: value | primary_key=True | api_key=os.environ["API_KEY"] | secretName: db-credentials | --token-file /x
    --password-stdin | use --password to log in | git config --global credential.helper store | redis-cli -h cache
    curl -u $USER:$PASS https://x | eyJust.a.word | id -u dana | password reset e-mail | Password must be changed
    SELECT password FROM users | const secret = await prompt() | client_secret=process.env.CLIENT_SECRET
"""


@pytest.mark.parametrize("text", [part.strip() for part in re.split(r" \| |\n", HARMLESS_TEXTS) if part.strip()])
def test_it_leaves_names_placeholders_and_variables_alone(text: str) -> None:
    assert scrubbed(text) == text


def harmless_corpus() -> list[str]:
    texts = [value for folder in SCENARIOS for body in bodies(folder) for r in body for _, _, value in r.attributes]
    made = [text for text in texts if isinstance(text, str) and len(text) > 8]
    source = Path(__file__).parents[2]
    for package in ("audit", "ingest", "portal"):
        for path in (source / package).rglob("*.py"):
            made.extend(line for line in path.read_text().splitlines() if len(line) > 20)
    for _ in range(600):
        made.append(of(HEX, 40))
        made.append(of(HEX, 64))
        made.append(str(uuid.UUID(int=dice.getrandbits(128))))
        made.append(base64.b64encode(dice.randbytes(dice.randint(12, 300))).decode())
        made.append(base64.urlsafe_b64encode(dice.randbytes(dice.randint(12, 90))).decode())
        made.append(f"toolu_01{of(ALNUM, 22)}")
        made.append(f"req_011{of(ALNUM, 21)}")
        made.append(f"msg_01{of(ALNUM, 22)}")
        made.append(f"/home/dana/{of(LOWER, 8)}/src/{of(LOWER, 12)}_test.py:{dice.randint(1, 999)}")
        made.append(f"git commit -m 'Fix {of(LOWER, 9)}' && git checkout {of(HEX, 12)}")
    return made


def test_it_leaves_harmless_texts_alone() -> None:
    corpus = harmless_corpus()
    scrubber = Scrubber(KEY)
    touched = [text for text in corpus if scrubber.text(text) != text]
    assert len(set(corpus)) >= 2000
    assert len(touched) <= 0.005 * len(set(corpus)), touched


def test_it_touches_nothing_in_the_captures() -> None:
    scrubber = Scrubber(KEY)
    for folder in SCENARIOS:
        for body in bodies(folder):
            for record in body:
                attributes, redacted = scrubber.attributes(record.attributes)
                assert attributes is record.attributes
                assert not redacted


SECRET = PREFIXED["github classic"][1]


def marked(text: str, key: bytes = KEY) -> list[str]:
    return re.findall(r"\[redacted:[a-z_]+:([0-9a-f]{8})\]", Scrubber(key).text(text))


def test_it_gives_the_same_secret_the_same_fingerprint_and_only_under_its_key() -> None:
    (first,), (again,), (other_key,) = marked(f"a {SECRET}"), marked(f'{{"b":"{SECRET}"}}'), marked(SECRET, b"x" * 32)
    (other_secret,) = marked(PREFIXED["github oauth"][1])
    assert first == again
    assert len({first, other_key, other_secret}) == 3


PIECES = st.sampled_from(
    [secret for _, secret in PREFIXED.values()]
    + [text for text, _ in IN_PLACE.values()]
    + ["password", "=", ":", " ", '"', "\\", "'", "@", "://", "[redacted:", "github:", "0a1b2c3d", "]", "token", "\n"]
    + ["-----BEGIN RSA PRIVATE KEY-----", "Authorization", "Bearer ", "--password", "mysql -p", "\\u0073", "é", "\0"]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=10).map("".join))
def test_it_changes_nothing_that_it_scrubbed_already(text: str) -> None:
    once = scrubbed(text)
    assert scrubbed(once) == once


def test_it_scrubs_nested_values_and_bodies_but_no_keys() -> None:
    encoded = base64.b64encode(f"{SECRET}\xff".encode("latin-1")).decode()
    attributes: list[tuple[str, str, Any]] = [
        ("a", "array", [["string", f"x {SECRET}"], ["map", [[SECRET, "string", SECRET], ["n", "int", 1]]]]),
        (SECRET, "string", "plain"),
        ("b", "bytes", encoded),
        ("c", "invalid_utf8", encoded),
        ("d", "null", None),
        ("e", "double", 0.5),
        ("f", "bytes", "not base64!"),
    ]
    result, redacted = Scrubber(KEY).attributes(attributes)
    mark = Scrubber(KEY).text(SECRET)
    expected = base64.b64encode(f"{mark}\xff".encode("latin-1")).decode()
    assert redacted
    assert list(result) == [
        ("a", "array", [["string", f"x {mark}"], ["map", [[SECRET, "string", mark], ["n", "int", 1]]]]),
        (SECRET, "string", "plain"),
        ("b", "bytes", expected),
        ("c", "invalid_utf8", expected),
        ("d", "null", None),
        ("e", "double", 0.5),
        ("f", "bytes", "not base64!"),
    ]
    assert attributes[0][2][0] == ["string", f"x {SECRET}"]


def test_a_text_of_too_many_secrets_is_replaced_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MOST_SECRETS", 3)
    at_most, beyond = " ".join([SECRET] * 3), " ".join([SECRET] * 4)
    assert scrubbed(at_most).count("[redacted:") == 3
    whole = scrubbed(beyond)
    assert re.fullmatch(r"\[redacted:too_many:[0-9a-f]{8}\]", whole)
    assert scrubbed(whole) == whole
    assert scrubbed(f"{beyond} ") != whole
    assert scrubbed(f"{whole} {at_most}").count("[redacted:") == 4, "marks that were there already do not count"


def test_the_bound_counts_over_all_rules_and_holds_in_every_kind_of_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MOST_SECRETS", 3)
    mixed = f"{SECRET} password=hunter2hunter2 {SECRET} token=hunter3hunter3"
    whole = scrubbed(mixed)
    assert whole.startswith("[redacted:too_many:")
    encoded = base64.b64encode(mixed.encode()).decode()
    attributes = [("a", "array", [["string", mixed], ["string", SECRET]]), ("b", "bytes", encoded)]
    result, redacted = Scrubber(KEY).attributes(attributes)
    assert redacted
    assert list(result) == [
        ("a", "array", [["string", whole], ["string", scrubbed(SECRET)]]),
        ("b", "bytes", base64.b64encode(whole.encode()).decode()),
    ]


def test_honest_texts_stay_far_below_the_bound() -> None:
    assert scrubbed("\n".join([f"export TOKEN={SECRET}"] * 500)).count("[redacted:") == 500


def test_it_never_touches_identifiers() -> None:
    odd = f"AKIA{of(UPPER, 16)}"
    attributes = [(key, "string", odd) for key in sorted(UNTOUCHED)] + [("note", "string", odd)]
    result, redacted = Scrubber(KEY).attributes(attributes)
    assert redacted
    assert [key for (key, _, value) in result if value != odd] == ["note"]


def test_it_hands_back_the_very_same_attributes_where_there_is_no_secret() -> None:
    attributes = [("prompt", "string", "Fix the rounding"), ("n", "int", 1), ("list", "array", [["string", "x"]])]
    result, redacted = Scrubber(KEY).attributes(attributes)
    assert (list(result), redacted) == (attributes, False)


def test_it_can_be_shared_between_threads() -> None:
    scrubber = Scrubber(KEY)
    results: list[bool] = []

    def work(number: int) -> None:
        for turn in range(300):
            attributes = [("a", "string", f"text {number} {turn}"), ("b", "string", f"{SECRET} {turn}")]
            scrubbed_attributes, redacted = scrubber.attributes(attributes)
            results.append(redacted and SECRET not in str(scrubbed_attributes))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 1200


def test_it_gives_every_rule_a_literal_that_its_prefilter_lets_through() -> None:
    assert {literal for rule in PREFIX_RULES for literal in rule.literals if literal != literal.lower()} == set()
    for rule in WORD_RULES:
        for literal in rule.literals:
            assert any(word in literal for word in WORDS)
    assert {name for name, _ in PREFIXED.values()} | {"private_key"} <= {rule.name for rule in PREFIX_RULES}
    assert all(re.fullmatch(r"[a-z_]{1,32}", rule.name) for rule in (*PREFIX_RULES, *WORD_RULES))


SEEDS = [
    "://a:a@",
    "mysql -p",
    "pwd='",
    'password=\\"',
    "passwordpassword",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n" + "A" * 64,
    "eyJaaaaaaaaaaaa.",
    "eyJ",
    "mysql -pabc ",
    "Authorization: Bearer ",
    "--a-b-c-d-password ",
    "curl -u aaa:",
    "login a password ",
    "\\u0073k-",
    "[redacted:a:00000000]",
    "\\" * 9,
    "https://u:" + "p" * 50,
]
SCRUB_A_MEBIBYTE = """
import sys
from ingest.secrets import Scrubber
seed = sys.stdin.read()
text = (seed * ((1 << 20) // len(seed) + 1))[: 1 << 20]
Scrubber(b"k" * 32).text(text)
"""


@pytest.mark.parametrize("seed", SEEDS)
def test_it_comes_to_an_end_on_a_mebibyte_of_hostile_text(seed: str) -> None:
    """In a process of its own, so that a pattern that backtracks without end fails the test instead of hanging it."""
    command = [sys.executable, "-c", SCRUB_A_MEBIBYTE]
    subprocess.run(command, input=seed, text=True, check=True, timeout=120, cwd=Path(__file__).parents[2])


EVERY_RULE = " ".join(literal for rule in (*PREFIX_RULES, *WORD_RULES) for literal in rule.literals) + f" {'a' * 20} "
CROWDS = [*SEEDS, "[redacted:a:00000000] x ", "[redacted:a:00000000]token ", "pwd=a1b ", "://:p@", f"{SECRET} "]
CALLS_A_CHARACTER = 10  # `://:p@` takes eight: the shortest secret of all is found and replaced with 48 calls


def calls_to_scrub(text: str) -> int:
    """How many functions are called for it, those in C included: work that no other load of the machine blurs."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        Scrubber(KEY).text(text)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("seed", CROWDS)
def test_its_work_grows_with_the_text_and_with_nothing_else(seed: str) -> None:
    """Also where every rule has something to look for, and marks or secrets cut the text into many pieces."""
    short, long = (EVERY_RULE + seed * (length // len(seed)) for length in (8_000, 32_000))
    unavoidable = calls_to_scrub(EVERY_RULE)
    few, many = calls_to_scrub(short) - unavoidable, calls_to_scrub(long) - unavoidable
    assert many <= 4.4 * max(few, 100)
    assert many <= CALLS_A_CHARACTER * len(long)


LONG = 1000
ENDED_BY_A_BEGINNING = {
    "private_key": "the next -----BEGIN ends the body of this one",
    "sendgrid": "a run of letters holds no SG.",
    "postman": "a run of hexadecimal digits holds no PMAK-",
    "tailscale": "a run of small letters holds no tskey-",
    "url_password": "neither user nor password holds ://",
    "password": "a run of backslashes holds no word",
    "secret": "a run of backslashes holds no word",
    "flag": "a run of backslashes holds no word",
}
"""Rules that look far ahead before they are sure, and why they cannot do so again from within what they looked at."""


def looks_far_ahead(items: Any, more: bool) -> bool:
    """Whether a pattern may pass over a long stretch and then still fail; `more`: something must come after the items.

    Starting again from every place within the stretch would then take the square of its length.
    """
    for operation, argument in reversed(list(items)):
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, body = argument
            if (more and most > LONG) or looks_far_ahead(body, more):
                return True
            more = more or (least > 0 and body.getwidth()[0] > 0)
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            body = argument[-1] if name == "SUBPATTERN" else argument
            if looks_far_ahead(body, more):
                return True
            more = more or body.getwidth()[0] > 0
        elif name == "BRANCH":
            if any(looks_far_ahead(branch, more) for branch in argument[1]):
                return True
            more = more or min(branch.getwidth()[0] for branch in argument[1]) > 0
        else:
            more = True
    return False


def far_ahead(pattern: re.Pattern[str]) -> bool:
    return looks_far_ahead(re._parser.parse(pattern.pattern, pattern.flags), more=False)  # type: ignore[attr-defined]


def test_no_rule_gives_up_after_a_long_scan_in_which_another_could_begin() -> None:
    found = {rule.name for rule in (*PREFIX_RULES, *WORD_RULES) if far_ahead(rule.pattern)}
    assert found == ENDED_BY_A_BEGINNING.keys()


@pytest.mark.parametrize(
    ("pattern", "far"),
    [
        (r"eyJ[a-z]{8,}+\.x", True),
        (r"a(?:b{8,}+)?c", True),
        (r"a{2,90}b", False),
        (r"eyJ[a-z]{8,}+(?:\.[a-z]*+)?", False),
    ],
)
def test_a_long_scan_that_may_fail_is_known_by_its_pattern(pattern: str, far: bool) -> None:
    assert far_ahead(re.compile(pattern)) == far


def test_a_token_is_found_behind_one_that_was_cut_off() -> None:
    cut, whole = f"eyJ{of(URLSAFE, 30)}.eyJ{of(URLSAFE, 80)}", PREFIXED["jwt"][1]
    assert scrubbed(f"{cut} {whole}").startswith(f"{cut} [redacted:jwt:")
    assert scrubbed(f"{cut}/{whole}").startswith(f"{cut}/[redacted:jwt:")
    assert scrubbed(cut) == cut
