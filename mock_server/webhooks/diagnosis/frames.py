"""What stands around the body in the bytes that are signed: the time, the id, the URL, and what joins them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

from mock_server.engine.instants import SECOND, InvalidTime, checked, format_instant
from mock_server.webhooks.schemes.protocol import Claim, Message, Scheme, utf8

from .report import Axis, Change

SECONDS_BESIDE = 5
HOURS_BESIDE = 14
PROBE = b"\x00probe\x00"

FORMS = (
    "{time}.{body}",
    "{time}:{body}",
    "{time}{body}",
    "{time}\n{body}",
    "{time},{body}",
    "{time}-{body}",
    "{time}|{body}",
    "{body}.{time}",
    "{body}{time}",
    "{body}:{time}",
    "v0:{time}:{body}",
    "v1:{time}:{body}",
    "t={time}.{body}",
    "{id}.{time}.{body}",
    "{id}.{body}",
    "{id}{time}{body}",
    "{time}.{id}.{body}",
    "{id}:{time}:{body}",
    "{url}{body}",
    "{url}.{body}",
    "{body}{url}",
    "{url}",
    "{time}.{url}.{body}",
    "{time}.",
    "{id}.{time}.",
)
"""Ways to join the parts that are met in the wild or come of a slip. All but the own one are tried for each scheme."""


class Frame(msgspec.Struct, frozen=True):
    """`material` puts a body between what stands around it."""

    change: Change | None
    material: Callable[[bytes], bytes]


class Around(msgspec.Struct, frozen=True):
    """What may stand around a body: the likeliest of each kind first, and none where it is unknown."""

    urls: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


def claim_of(around: Around) -> Claim:
    return Claim((), around.times[0] if around.times else None, around.ids[0] if around.ids else None)


def frames(scheme: Scheme, around: Around) -> list[Frame]:
    """The scheme's own first, then those that differ in one thing; each only once."""
    own = _frame(None, scheme, around, claim_of(around))
    found = {own.material(PROBE): own}
    for frame in (*_urls(scheme, around), *_times(scheme, around), *_ids(scheme, around), *_forms(scheme, around)):
        found.setdefault(frame.material(PROBE), frame)
    return list(found.values())


def _frame(change: Change | None, scheme: Scheme, around: Around, claim: Claim, url: str | None = None) -> Frame:
    where = (around.urls[0] if around.urls else "") if url is None else url
    return Frame(change, lambda body: scheme.material(Message(body, where, claim.id or ""), claim))


def _urls(scheme: Scheme, around: Around) -> Iterator[Frame]:
    if "url" not in scheme.uses:
        return
    given, *others = around.urls or ("",)
    for name, what, url in [*url_forms(given), *(("other", "the URL that the request names", each) for each in others)]:
        change = _change("url", name, what, *_url_texts(scheme, url))
        yield _frame(change, scheme, around, claim_of(around), url)
    for other in others:
        for name, what, url in url_forms(other):
            change = _change(
                "url", f"other-{name}", f"the URL that the request names, as {what}", *_url_texts(scheme, url)
            )
            yield _frame(change, scheme, around, claim_of(around), url)


def _url_texts(scheme: Scheme, url: str) -> tuple[str, str]:
    shown = url if len(url) <= 200 else f"{url[:200]}..."
    return (
        f"{scheme.title} signs the URL letter by letter as it was registered: here that is {shown!r}.",
        "Verify with just this URL, from your configuration and not from the request: a proxy changes scheme, host and "
        f"path. Here: --url {shown}",
    )


def url_forms(url: str) -> Iterator[tuple[str, str, str]]:
    """Name, description and text of the ways in which one address is written; each once."""
    seen = {url}
    try:
        first = list(_spelled(url))
        pairs = [
            (f"{name}+{other}", f"{what}, {also}", text)
            for name, what, changed in first
            for other, also, text in _spelled(changed)
        ]
    except ValueError:
        return
    for name, what, text in first + pairs:
        if text not in seen:
            seen.add(text)
            yield name, what, text


def _spelled(url: str) -> Iterator[tuple[str, str, str]]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return
    other = "http" if parts.scheme == "https" else "https"
    yield other, f"the URL with {other}://", urlunsplit(parts._replace(scheme=other))
    path = parts.path
    if path.endswith("/"):
        yield "no-slash", "the URL without / at its end", urlunsplit(parts._replace(path=path.rstrip("/")))
    else:
        yield "slash", "the URL with / at its end", urlunsplit(parts._replace(path=f"{path}/"))
    if parts.query:
        yield "no-query", "the URL without its query", urlunsplit(parts._replace(query="", fragment=""))
    if parts.fragment:
        yield "no-fragment", "the URL without its #fragment", urlunsplit(parts._replace(fragment=""))
    host = parts.netloc.rpartition("@")[2]
    name = host.rpartition(":")[0] if parts.port is not None else host
    if parts.port is not None:
        yield "no-port", "the URL without its port", urlunsplit(parts._replace(netloc=name))
    else:
        port = 443 if parts.scheme == "https" else 80
        yield "port", f"the URL with :{port}", urlunsplit(parts._replace(netloc=f"{name}:{port}"))
    yield (
        "lower-host",
        "the URL with its host in small letters",
        urlunsplit(parts._replace(netloc=parts.netloc.lower())),
    )
    if name.lower().startswith("www."):
        yield "no-www", "the URL without www.", urlunsplit(parts._replace(netloc=parts.netloc[4:]))
    else:
        yield "www", "the URL with www.", urlunsplit(parts._replace(netloc=f"www.{parts.netloc}"))
    if parts.netloc != host:
        yield "no-user", "the URL without user and password", urlunsplit(parts._replace(netloc=host))
    yield "path-only", "the URL's path alone", urlunsplit(("", "", path or "/", parts.query, ""))
    yield "host-only", "the URL's scheme and host alone", urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    yield (
        "no-scheme",
        "the URL without its scheme",
        f"{parts.netloc}{path}" + (f"?{parts.query}" if parts.query else ""),
    )
    yield "decoded", "the URL with its %-escapes decoded", unquote(url)
    yield "encoded", "the URL %-encoded", quote(url, safe="")


def _times(scheme: Scheme, around: Around) -> Iterator[Frame]:
    if "time" not in scheme.uses or not around.times:
        return
    claim = claim_of(around)
    for name, what, meaning, advice, text in _time_texts(around.times):
        yield _frame(
            _change("time", name, what, meaning, advice), scheme, around, msgspec.structs.replace(claim, time=text)
        )


def _time_texts(times: Sequence[str]) -> Iterator[tuple[str, str, str, str, str]]:
    text = times[0]
    signs = "Sign the very text that goes into the header: make the time once, as a string, and use it in both places."
    unit = "Stripe, Paddle and Standard Webhooks write seconds: Math.floor(Date.now() / 1000), int(time())."
    for other in times[1:]:
        yield "other", "the other time that stands in the headers", "Another header's time was signed.", signs, other
    if not text.isdecimal() or len(text) > 15:
        return
    number = int(text)
    yield (
        "milliseconds",
        "the time in milliseconds",
        "Milliseconds were signed, seconds stand in the header.",
        unit,
        str(number * 1000),
    )
    yield (
        "seconds",
        "the time in seconds",
        "Seconds were signed, milliseconds stand in the header.",
        unit,
        str(number // 1000),
    )
    if text != str(number):
        yield (
            "no-zeros",
            "the time without its leading zeros",
            "The time was made a number and back.",
            signs,
            str(number),
        )
    yield "float", f"the time as {number}.0", "A float was signed: Python's time() made a text.", signs, f"{number}.0"
    try:
        written = format_instant(checked(number * SECOND))
    except InvalidTime:
        written = ""
    if written:
        for iso in (written, written.replace("Z", ".000Z"), written.replace("Z", "+00:00")):
            yield (
                "iso",
                f"the time as {iso}",
                "The time was signed as text, and stands in the header as a number.",
                signs,
                iso,
            )
    twice = "The clock was read twice: once for the signature and once for the header."
    for n in range(1, SECONDS_BESIDE + 1):
        for offset in (n, -n):
            yield f"{offset:+d}s", f"a time {abs(offset)} s {_side(offset)}", twice, signs, str(number + offset)
    zone = "One of the two times is in a local time zone: a datetime without a zone was taken for UTC, or the reverse."
    utc = "Take the time in UTC: a datetime made with timezone.utc, Date.now(), time.Now().Unix()."
    for n in range(1, HOURS_BESIDE + 1):
        for offset in (n, -n):
            yield f"{offset:+d}h", f"a time {n} h {_side(offset)}", zone, utc, str(number + 3600 * offset)


def _side(offset: int) -> str:
    return "later" if offset > 0 else "earlier"


def _ids(scheme: Scheme, around: Around) -> Iterator[Frame]:
    if "id" not in scheme.uses:
        return
    claim = claim_of(around)
    meaning = f"{scheme.title} signs the id of the message that stands in its own header, not another one."
    advice = "Sign the id that goes into the header; an id stays the same when the message is sent again."
    for other in (*around.ids[1:], ""):
        what = "the id left empty" if not other else "another id that the request has"
        yield _frame(
            _change("id", "empty" if not other else "other", what, meaning, advice),
            scheme,
            around,
            msgspec.structs.replace(claim, id=other),
        )


def _forms(scheme: Scheme, around: Around) -> Iterator[Frame]:
    wants = f"{scheme.title} signs {signed_form(scheme)}."
    alone = "the body alone"
    yield Frame(
        _change("parts", "body-only", alone, f"What {scheme.title} signs beside the body was left out.", wants),
        lambda body: body,
    )
    values = {
        name: texts[0] for name, texts in (("time", around.times), ("id", around.ids), ("url", around.urls)) if texts
    }
    for form in FORMS:
        if all(f"{{{name}}}" not in form or name in values for name in ("time", "id", "url")):
            shown = form.replace("\n", "\\n")
            meaning = "The parts were joined in another way." if "{body}" in form else "The body was left out."
            yield Frame(_change("parts", shown, f"the parts joined as {shown}", meaning, wants), _filled(form, values))


def _filled(form: str, values: dict[str, str]) -> Callable[[bytes], bytes]:
    before, _, after = form.partition("{body}")
    for name, text in values.items():
        before, after = (part.replace(f"{{{name}}}", text) for part in (before, after))
    first, last = utf8(before), utf8(after)
    if "{body}" not in form:
        return lambda _: first
    return lambda body: first + body + last


def signed_form(scheme: Scheme) -> str:
    """`{time}.{body}`: read off what the scheme makes of texts that stand for themselves."""
    claim = Claim((), "{time}", "{id}")
    return scheme.material(Message(b"{body}", "{url}", "{id}"), claim).decode()


def _change(axis: Axis, name: str, what: str, meaning: str, advice: str) -> Change:
    return Change(axis, f"{axis}:{name}", what, meaning, advice)
