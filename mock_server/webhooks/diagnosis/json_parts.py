"""How the languages write the strings and numbers of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Literal

Escapes = Literal["raw", "ascii", "html", "html-java", "php", "php-unicode", "php-slashes", "dotnet", "slashes"]
Numbers = Literal["kept", "js", "python", "java", "gson", "php"]

_LONE = re.compile("[\ud800-\udfff]")
_HTML = re.compile("[<>&\u2028\u2029]")
_GSON = re.compile("[<>&='\u2028\u2029]")
_NET = re.compile("[^ !#-%(-*,-;=?-\\[\\]-_a-~]")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\"}


def _u(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _raw(text: str) -> str:
    """JSON.stringify, Ruby, Jackson: only what has to be escaped, and halves of surrogate pairs."""
    return _LONE.sub(_u, encode_basestring(text))


def _net(found: re.Match[str]) -> str:
    letter = found[0]
    if letter in _SHORT:
        return _SHORT[letter]
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n]:02X}{units[n + 1]:02X}" for n in range(0, len(units), 2))


def _php_unicode(text: str) -> str:
    """JSON_UNESCAPED_UNICODE still escapes the two line separators."""
    return re.sub("[\u2028\u2029]", _u, _raw(text))


ESCAPES: dict[Escapes, Callable[[str], str]] = {
    "raw": _raw,
    "ascii": encode_basestring_ascii,
    "html": lambda text: _HTML.sub(_u, _raw(text)),
    "html-java": lambda text: _GSON.sub(_u, _raw(text)),
    "php": lambda text: encode_basestring_ascii(text).replace("/", "\\/").replace("\\u007f", "\x7f"),
    "php-slashes": lambda text: encode_basestring_ascii(text).replace("\\u007f", "\x7f"),
    "php-unicode": lambda text: _php_unicode(text).replace("/", "\\/"),
    "slashes": lambda text: _raw(text).replace("/", "\\/"),
    "dotnet": lambda text: f'"{_NET.sub(_net, text)}"',
}


def number(raw: str, kind: Numbers) -> str:
    """`raw` is a number as it stands in JSON."""
    whole = not any(letter in raw for letter in ".eE")
    if kind == "kept" or (whole and kind in ("python", "java", "php")):
        return "0" if raw == "-0" and kind != "kept" else raw
    value = float(raw)
    if value in (float("inf"), float("-inf")):
        return "null" if kind == "js" else raw
    if kind == "python":
        return repr(value)
    if kind in ("java", "gson"):
        return _java(value)
    return _js(value)


def _js(value: float) -> str:
    """ECMA-262, Number::toString. Go writes the same."""
    if value == 0:
        return "0"
    sign, digits, exponent = _digits(value)
    n = len(digits) + exponent
    if 0 < n <= 21:
        whole = digits[:n].ljust(n, "0")
        return sign + whole + (f".{digits[n:]}" if len(digits) > n else "")
    if -6 < n <= 0:
        return f"{sign}0.{'0' * -n}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'+' if n > 0 else '-'}{abs(n - 1)}"


def _java(value: float) -> str:
    """java.lang.Double.toString: at least one digit after the point, E from 10^7 on and below 10^-3."""
    if value == 0:
        return "-0.0" if str(value).startswith("-") else "0.0"
    sign, digits, exponent = _digits(value)
    n = len(digits) + exponent
    if 1e-3 <= abs(value) < 1e7:
        if n <= 0:
            return f"{sign}0.{'0' * -n}{digits}"
        return f"{sign}{digits[:n].ljust(n, '0')}.{digits[n:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{n - 1}"


def _digits(value: float) -> tuple[str, str, int]:
    """The shortest digits that read as this value again, without zeros at either end."""
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    assert isinstance(exponent, int)
    return "-" if sign else "", stripped, exponent + len(text) - len(stripped)
