"""Which texts are known secrets: vendors' prefixes, and places where secrets stand (headers, URLs, assignments).

Every pattern runs in linear time on hostile text: repetitions are bounded or possessive, and a match is never given up
after a long scan in which another could begin; whether a found value is a secret at all is decided afterwards by the
rule's `accepts`.
A value's place may be inside JSON inside a string, so quotes may be escaped any number of times.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

Accepts = Callable[[re.Match[str]], bool]

_WORD_BEFORE, _BREAK_BEFORE = "[A-Za-z0-9_-]", r"\\[nrt]"  # inside JSON a line break is spelled \n
_START = rf"(?:(?<!{_WORD_BEFORE})|(?<={_BREAK_BEFORE}))"
_CLOSE = r"""(?:\\{0,8}["'`])?"""
_VALUE = r"""
    (?: \\{0,8}["'`] (?P<quoted> (?: [^"'`\\\r\n] | \\++[^"'`\\rnt] )++ )
      | (?P<bare> (?: [^\s"'`\\,;&|<>()\[\]{}] | \\++[^\s"'`\\rnt] )++ )
    )
"""


def _starting(*prefixes: str) -> str:
    """One of the prefixes at the start of a word. What stands before it is looked at last: `re` leaps to literals."""
    each = map(re.escape, prefixes)
    return "(?:" + "|".join(rf"{p}(?:(?<!{_WORD_BEFORE}{p})|(?<={_BREAK_BEFORE}{p}))" for p in each) + ")"


def words(text: str) -> frozenset[str]:
    """The words of a text: long lists stay readable."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret. `literals`: one of them is in the lower-cased text of every match.

    What is replaced is the group `secret`, `quoted` or `bare`, else the whole match.
    """

    name: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Accepts | None = None

    def span(self, match: re.Match[str]) -> tuple[int, int]:
        for group in ("secret", "quoted", "bare"):
            if group in self.pattern.groupindex and match[group] is not None:
                return match.span(group)
        return match.span()


def _rule(name: str, literals: str, pattern: str, accepts: Accepts | None = None, flags: int = 0) -> Rule:
    return Rule(name, tuple(literals.split()), re.compile(pattern, flags), accepts)


def _is_signed(match: re.Match[str]) -> bool:
    return match["signature"] is not None


PREFIX_RULES = (
    _rule("private_key", "-----begin",
          r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
          r"(?:(?:[^-]|-(?!----)){0,20000}+-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
          r"|(?:(?:\\[nrt]|\s)*+[A-Za-z0-9+/=]{16,}+)*+)"),
    _rule("anthropic", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{10,}"),
    _rule("openrouter", "sk-or-", _starting("sk-or-") + r"(?:v\d-)?[A-Za-z0-9]{20,}"),
    _rule("openai", "sk-", _starting("sk-") + r"(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{16,}|[A-Za-z0-9]{20,})"),
    _rule("aws_key_id", "akia asia", _starting("AKIA", "ASIA") + r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _rule("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{20,}"),
    _rule("github", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}"),
    _rule("gitlab", "glpat- glptt- gldt- glrt- glcbt- glsoat- glagent-",
          r"gl(?:pat|ptt|dt|rt|cbt|soat|agent)-[A-Za-z0-9_.-]{16,}"),
    _rule("slack", "xoxa- xoxb- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs-", r"xox[abeoprs][.-][A-Za-z0-9.-]{10,}"),
    _rule("slack", "xapp-", r"xapp-\d-[A-Za-z0-9-]{10,}"),
    _rule("slack_webhook", "hooks.slack.com/",
          r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/]{16,})"),
    _rule("discord_webhook", "api/webhooks/", r"api/webhooks/\d{5,25}/(?P<secret>[\w-]{30,})"),
    _rule("google", "aiza", r"AIza[A-Za-z0-9_-]{30,}"),
    _rule("google_oauth", "ya29.", r"ya29\.[A-Za-z0-9_-]{20,}"),
    _rule("google_oauth", "gocspx-", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _rule("stripe", "sk_live_ sk_test_ rk_live_ rk_test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    _rule("stripe", "whsec_", r"whsec_[A-Za-z0-9+/=]{20,}"),
    _rule("npm", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    _rule("pypi", "pypi-", r"pypi-(?:AgE[A-Za-z0-9_-]{16,}|[A-Za-z0-9_-]{50,})"),
    _rule("portal", "agp_ing_ agp_api_", r"agp_(?:ing|api)_[A-Za-z0-9]{16,}"),
    _rule("jwt", "eyj",
          r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]{8,}+(?P<signature>\.[A-Za-z0-9_-]*+)?+)?+", _is_signed),
    _rule("sendgrid", "sg.", _starting("SG.") + r"[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}"),
    _rule("vault", "hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    _rule("huggingface", "hf_", _starting("hf_") + r"[A-Za-z0-9]{30,}"),
    _rule("groq", "gsk_", _starting("gsk_") + r"[A-Za-z0-9]{30,}"),
    _rule("xai", "xai-", _starting("xai-") + r"[A-Za-z0-9]{40,}"),
    _rule("perplexity", "pplx-", r"pplx-[A-Za-z0-9]{30,}"),
    _rule("replicate", "r8_", _starting("r8_") + r"[A-Za-z0-9]{30,}"),
    _rule("digitalocean", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[0-9a-f]{40,}"),
    _rule("docker", "dckr_pat_ dckr_oat_", r"dckr_[po]at_[A-Za-z0-9_-]{20,}"),
    _rule("shopify", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{30,}"),
    _rule("databricks", "dapi", _starting("dapi") + r"[0-9a-f]{32}"),
    _rule("atlassian", "atatt3", r"ATATT3[A-Za-z0-9_=.-]{30,}"),
    _rule("grafana", "glsa_ glc_", _starting("glsa_", "glc_") + r"[A-Za-z0-9_+/=-]{30,}"),
    _rule("sentry", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9_+/=-]{30,}"),
    _rule("linear", "lin_api_", r"lin_api_[A-Za-z0-9]{30,}"),
    _rule("notion", "ntn_", _starting("ntn_") + r"[A-Za-z0-9]{40,}"),
    _rule("figma", "figd_", r"figd_[A-Za-z0-9_-]{30,}"),
    _rule("postman", "pmak-", r"PMAK-[0-9a-f]{20,}-[0-9a-f]{20,}"),
    _rule("newrelic", "nrak-", r"NRAK-[A-Z0-9]{20,}"),
    _rule("rubygems", "rubygems_", r"rubygems_[0-9a-f]{40,}"),
    _rule("tailscale", "tskey-", r"tskey-[a-z]+-[A-Za-z0-9-]{16,}"),
    _rule("supabase", "sbp_", _starting("sbp_") + r"[0-9a-f]{40}"),
    _rule("doppler", "dp.pt. dp.st.", r"dp\.[ps]t\.[A-Za-z0-9.]{30,}"),
    _rule("mailgun", "key-", _starting("key-") + r"[0-9a-f]{32}(?![0-9A-Za-z])"),
    _rule("twilio", " ".join(f"sk{digit:x}" for digit in range(16)), _starting("SK") + r"[0-9a-f]{32}(?![0-9A-Za-z])"),
    _rule("telegram", ":aa", _START + r"\d{8,10}:AA[A-Za-z0-9_-]{32,}"),
    _rule("age", "age-secret-key-1", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    _rule("azure_client_secret", "q~", _START + r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
)  # fmt: skip
"""Secrets that their own beginning gives away. Every match holds 16 characters of [A-Za-z0-9_-] in a row."""

_PLACEHOLDERS = words(
    """
    true false null none nil undefined required optional string str text password passwd passphrase secret token
    example placeholder redacted hidden masked bytes bool prompt stdin value empty todo
    """
)
_PROSE = words(
    """
    option options should argument parameter because instead values before through cannot without always please
    policy manager changed reset field fields input stdin file from with that this
    """
)
_VARIABLE = re.compile(
    r"\$\{?[A-Za-z_][\w.]*(?:\}|[:-][^\s]*)?|\$[({].*|%\w+%|\{[\w.]*\}|\{\{.*|<.*|[^A-Za-z0-9]+", re.DOTALL
)
_LETTER = re.compile(r"[A-Za-z]")
_DIGIT = re.compile(r"[0-9]")
_NAME_LIKE = re.compile(r"[A-Za-z_.]+")
_TOKEN_LIKE = re.compile(r"[A-Za-z0-9_\-+/=.~:%$!@#^*]+")
_FILE_ENDING = re.compile(
    r"\.(?:json|ya?ml|toml|txt|py|js|ts|tsx|go|rs|md|pem|key|env|html|csv|log|sh)$", re.IGNORECASE
)
_WORKING_DIRECTORY = re.compile(r"[/~.\\]|[A-Za-z]:")


def _value(match: re.Match[str]) -> str:
    groups = match.re.groupindex
    return next(match[name] for name in ("secret", "quoted", "bare") if name in groups and match[name] is not None)


def _harmless(value: str) -> bool:
    """A variable, a placeholder, or a row of one character."""
    return (
        len(value) < 3
        or _VARIABLE.fullmatch(value) is not None
        or value.lower() in _PLACEHOLDERS
        or len(set(value[:64])) == 1
    )


def _is_code(match: re.Match[str], value: str) -> bool:
    """`password=getpass()`, `password=args.password`: a name, not a value."""
    following = match.string[match.end() : match.end() + 1]
    return bool(_NAME_LIKE.fullmatch(value)) and (following in ("(", "[", ".") or "." in value or "_" in value)


def _accepts_password(match: re.Match[str]) -> bool:
    value = _value(match)
    if _harmless(value):
        return False
    if match["keyword"].lower() == "pwd" and _WORKING_DIRECTORY.match(value):
        return False
    if match["quoted"] is not None:
        return " " not in value or _DIGIT.search(value) is not None
    if _is_code(match, value):
        return False
    if match["separator"] == "=" and not match["gap"]:
        return True
    return len(value) >= 6 and _NAME_LIKE.fullmatch(value) is None and _LETTER.search(value) is not None


def _accepts_token(match: re.Match[str]) -> bool:
    value = _value(match)
    if len(value) < 8 or _harmless(value) or _TOKEN_LIKE.fullmatch(value) is None:
        return False
    if not (_DIGIT.search(value) and _LETTER.search(value)):
        return False
    if "://" in value or value.startswith((".", "~", "/")) or _FILE_ENDING.search(value):
        return False
    return match["quoted"] is not None or not match["gap"] or len(value) >= 12


def _accepts_flag(match: re.Match[str]) -> bool:
    value = _value(match)
    if _harmless(value) or value.startswith("-"):
        return False
    if match["quoted"] is not None:
        return True
    if _NAME_LIKE.fullmatch(value):
        return len(value) >= 6 and value.lower() not in _PROSE
    return True


def _accepts_credential(match: re.Match[str]) -> bool:
    value = _value(match)
    if _harmless(value) or value.lower() in ("bearer", "basic", "digest", "negotiate"):
        return False
    return match["scheme"] is not None or _DIGIT.search(value) is not None


def _accepts_bearer(match: re.Match[str]) -> bool:
    return _DIGIT.search(match["secret"]) is not None and not _harmless(match["secret"])


def _after(*commands: str) -> Accepts:
    """Only if one of the commands stands shortly before."""

    def accepts(match: re.Match[str]) -> bool:
        before = match.string[max(0, match.start() - 160) : match.start() + 1].lower()
        return any(command in before for command in commands) and not _harmless(_value(match))

    return accepts


def _not_variable(match: re.Match[str]) -> bool:
    return _VARIABLE.fullmatch(_value(match)) is None


def _not_harmless(match: re.Match[str]) -> bool:
    return not _harmless(_value(match))


# Alternatives share their beginnings: at almost every place of a text there is then but one letter to compare.
_PASSWORDS = r"(?P<keyword>p(?:ass(?:word|wd|phrase|(?<![A-Za-z]pass))|wd))\d{0,3}"
_TOKENS = r"""(?P<keyword> (?=[acelmpst_]) (?:
    token | s(?:ecret|haredsecret) | credentials? | _auth
    | (?:a(?:pi|cc(?:ess|ount)|uth)|client|encryption|license|master|private|s(?:ecret|ervice|hared|igning|ubscription))
      [_-]?key (?:[_-]?base)?
))"""
_FLAGS = r"""--(?:[a-z0-9]{1,20}-){0,4}
    (?:password|passwd|passphrase|pass|pw|token|secret|api-?key|access-?key|secret-?key)"""
_SCHEMES = r"(?P<scheme>(?:bearer|basic|token|digest|negotiate|apikey|ssws|bot)(?:\s|%20|\+){1,4})?"
_GAP = r"\s{0,8}(?P<separator>=>|:=|=|:)(?P<gap>\s{0,8})"
_BREAK = r"(?:\s|\\[nrt])"  # a space, or inside JSON the spelling of a line break
_SPACE = r"(?:\\{0,8}[\"'`])?(?:\s|,|\\[nrt]){1,8}"
_QUOTE = r"\\{0,8}['\"]"
_WORD = r"[^\s\"'`\\;|&]"

WORD_RULES = (
    _rule("authorization", "authorization",
          r"authorization" + _CLOSE + r"\s{0,8}[:=]\s{0,8}" + _CLOSE +
          _SCHEMES + r"(?P<secret>[^\s\"'`\\,;]{3,}+)", _accepts_credential, re.IGNORECASE),
    _rule("bearer", "bearer", r"\bbearer(?:\s|%20){1,4}(?P<secret>[A-Za-z0-9._~+/=-]{16,}+)", _accepts_bearer,
          re.IGNORECASE),
    _rule("url_password", "://",
          r"""(?<=://)[^\s/:@"'`\\<>]*+:(?P<secret>(?:[^\s@/"'`\\<>]++@)*[^\s@/"'`\\<>]++)@""",
          _not_variable),
    _rule("aws_secret", "secret session_token",
          r"aws_?(?:secret_?access_?key|session_?token)" + _CLOSE + r"(?:\s{0,8}[:=]\s{0,8}|\s{1,8})" + _CLOSE +
          r"(?P<secret>[A-Za-z0-9/+]{30,}+={0,2})", _not_harmless, re.IGNORECASE),
    _rule("azure_sas", "sig=", r"[?&;]sig=(?P<secret>[A-Za-z0-9%+/=_-]{20,}+)"),
    _rule("password", "password passwd passphrase pwd pass", _PASSWORDS + _CLOSE + _GAP + _VALUE, _accepts_password,
          re.IGNORECASE | re.VERBOSE),
    _rule("password", "password", r"password\s{1,8}" + _QUOTE + r"(?P<secret>[^\s\"'`\\]{4,}+)", _not_harmless,
          re.IGNORECASE),
    _rule("password", "login", r"\blogin\s{1,8}\S{1,128}+\s{1,8}password\s{1,8}(?P<secret>[^\s\"'\\]{3,}+)",
          _not_harmless, re.IGNORECASE),
    _rule("password", "identified", r"identified\s{1,8}by\s{1,8}" + _QUOTE + r"(?P<secret>[^\"'`\\\r\n]{3,}+)",
          _not_harmless, re.IGNORECASE),
    _rule("secret", "token secret key auth credential", _TOKENS + _CLOSE + _GAP + _VALUE, _accepts_token,
          re.IGNORECASE | re.VERBOSE),
    _rule("flag", "pass -pw token secret key", _FLAGS + _SPACE + _VALUE, _accepts_flag, re.IGNORECASE | re.VERBOSE),
    _rule("flag", "mysql mariadb", _BREAK + r"-p(?P<secret>" + _WORD + "{3,}+)", _after("mysql", "mariadb")),
    _rule("flag", "sshpass login redis-cli", _BREAK + r"-[pa]\s{0,4}" + _CLOSE + "(?P<secret>(?!-)" + _WORD + "{3,}+)",
          _after("sshpass", " login", "redis-cli")),
    _rule("flag", "curl wget", _BREAK + r"(?:-u|--user)(?:\s|=){0,4}" + _CLOSE +
          r"[^\s:\"'`\\]{1,128}+:(?P<secret>[^\s\"'`\\]{3,}+)", _after("curl", "wget")),
)  # fmt: skip
"""Secrets that their place gives away; WORDS holds a word of every one of them."""

WORDS = (
    "://", "pass", "pwd", "secret", "token", "key", "auth", "bearer", "sig=", "identified", "credential",
    "mysql", "mariadb", "curl", "wget", "redis-cli", "login", "-pw", "\\u00",
)  # fmt: skip
