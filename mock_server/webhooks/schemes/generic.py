"""A scheme of your own: an HMAC whose every part is said in options.

header=X-Signature   where the signature stands
value={signature}    how: `sha256={signature}`, or `t={time},v1={signature}` (pairs between `,`, `;` or `&`)
signed={body}        what is signed: {time}, {id}, {url} and {body}, and any text between them
digest=sha256        sha1, sha256 or sha512
encoding=hex         hex or base64
key=text             what the secret is: text, base64, hex, or whsec (base64 after `whsec_`)
tolerance=300        seconds that a signed time may be old
future=no            yes: nor may it be that far ahead
unit=s               s or ms
time_header=, id_header=   where time and id stand if not beside the signature
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .hmacs import TIME, Bare, Hmac, Layout, Pairs

DEFAULTS = {"header": "X-Signature", "value": "{signature}", "signed": "{body}", "tolerance": "300"}
OPTIONS = (
    "header",
    "value",
    "signed",
    "digest",
    "encoding",
    "key",
    "tolerance",
    "future",
    "unit",
    "time_header",
    "id_header",
)
_PREFIX = re.compile(r"(?:[!-~][ -~]{0,127})?")
_PAIRS = re.compile(r"([\w-]+)=\{time\}([,;&])([\w-]+)=\{signature\}", re.ASCII)
_PLACE = re.compile(r"\{\w*\}")
_PLACES = ("{time}", "{id}", "{url}", "{body}")
OF_HTTP = (
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
"""Headers that no signature can stand in."""
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)


class InvalidOptions(ValueError):
    """The options make no scheme; the message says which does not, and what it may be."""


def scheme_of(options: Mapping[str, str]) -> Hmac:
    """Raises InvalidOptions."""
    unknown = sorted(options.keys() - set(OPTIONS))
    if unknown:
        raise InvalidOptions(f"there is no option {unknown[0]!r}; there are: {', '.join(OPTIONS)}")
    given = {**DEFAULTS, **options}
    for name in ("header", "time_header", "id_header"):
        if name in given and not _HEADER.fullmatch(given[name]):
            raise InvalidOptions(f"{name} is not the name of a header")
        if given.get(name, "").lower() in OF_HTTP:
            raise InvalidOptions(f"{name} is one that HTTP needs for itself")
    headers = [given[name].lower() for name in ("header", "time_header", "id_header") if name in given]
    if len(set(headers)) < len(headers):
        raise InvalidOptions("header, time_header and id_header are three different headers")
    signed = given["signed"]
    if "{body}" not in signed:
        raise InvalidOptions("signed has to have {body} in it")
    if any(place not in _PLACES for place in _PLACE.findall(signed)):
        raise InvalidOptions(f"signed has places that nothing fills; there are: {', '.join(_PLACES)}")
    layout = _layout(given["value"])
    if "{time}" in signed and not isinstance(layout, Pairs) and "time_header" not in given:
        raise InvalidOptions("a time is signed, so value has to carry it (t={time},v1={signature}), or a time_header")
    if "{id}" in signed and "id_header" not in given:
        raise InvalidOptions("an id is signed, so it needs an id_header")
    if not TIME.fullmatch(given["tolerance"]):
        raise InvalidOptions("tolerance is a number of seconds")
    return Hmac(
        name="generic",
        title="generic",
        header=given["header"],
        layout=layout,
        signed=signed,
        digest=_one_of(given, "digest", {"sha256": "sha256", "sha1": "sha1", "sha512": "sha512"}),
        encoding=_one_of(given, "encoding", {"hex": "hex", "base64": "base64"}),
        key=_one_of(given, "key", {"text": "text", "base64": "base64", "hex": "hex", "whsec": "whsec"}),
        tolerance=int(given["tolerance"]) if "{time}" in signed else 0,
        future=_one_of(given, "future", {"no": False, "yes": True}),
        per_second=_one_of(given, "unit", {"s": 1, "ms": 1000}),
        time_header=given.get("time_header"),
        id_header=given.get("id_header"),
    )


def _layout(value: str) -> Layout:
    if (pairs := _PAIRS.fullmatch(value)) is not None and pairs[1] != pairs[3]:
        time, separator, signature = pairs.groups()
        return Pairs(signature, time, separator)
    prefix, found, rest = value.partition("{signature}")
    if not found or rest or not _PREFIX.fullmatch(prefix) or "{time}" in prefix:
        raise InvalidOptions("value is `<prefix>{signature}` or `<name>={time},<name>={signature}`")
    return Bare(prefix)


def _one_of(given: Mapping[str, str], name: str, values: Mapping[str, Any]) -> Any:
    """The first is what holds if nothing is said."""
    text = given.get(name, next(iter(values)))
    if text not in values:
        raise InvalidOptions(f"{name} is one of: {', '.join(values)}")
    return values[text]


SCHEME = scheme_of({})
