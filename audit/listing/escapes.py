"""Text of telemetry made safe to look at: what a reader cannot see, or what reorders what he sees, becomes an escape.

Markup is the template engine's business (autoescaping); this is about Unicode. Shown as escapes are control characters,
everything Unicode calls a format character (bidirectional controls, zero-width characters, the tag block), line and
paragraph separators, surrogates, noncharacters, and the invisible characters that Unicode files under letters, marks or
symbols: fillers, joiners and variation selectors, the known places to hide text in.
"""

import re
import unicodedata

_CONTROL = "\x00-\x1f\x7f-\x9f"
_FORMAT = (
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_INVISIBLE = (  # fillers, joiners, variation selectors
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0080-\U000e0fff"
)
_SURROGATES = "\ud800-\udfff"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)

_ALL = f"[{_CONTROL}{_FORMAT}{_INVISIBLE}{_SURROGATES}{_NONCHARACTERS}]"
_EMOJI_STYLE = r"(?<=[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff])\ufe0f|(?<=[#*0-9])\ufe0f(?=\u20e3)"
HIDDEN = re.compile(f"(?:(?!{_EMOJI_STYLE}){_ALL})+")
HIDDEN_IN_LINES = re.compile(f"(?:(?!{_EMOJI_STYLE}|[\t\n]){_ALL})+")
"""As HIDDEN, but tab and line feed may stay: for text shown line by line."""

_SHORT = {"\0": r"\0", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\x1b": r"\e"}


def spell(characters: str) -> str:
    r"""Each character as an escape in ASCII: `\n`, `\x07`, `\u202e`, `\U000e0041`."""
    return "".join(_SHORT.get(character) or _spelled(ord(character)) for character in characters)


def _spelled(point: int) -> str:
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def name(character: str) -> str:
    """What Unicode calls it, in lower case; its number where Unicode has no name."""
    return unicodedata.name(character, f"U+{ord(character):04X}").lower()
