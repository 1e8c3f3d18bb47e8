"""What a capture may not show when others read it: credentials and personal data, replaced by what has the same shape. Pure.

    credentials        headers such as Authorization, Cookie and X-Api-Key; query parameters and members such as token,
                       password, client_secret; API keys, signing secrets and JWTs wherever they stand
    personal data      members such as email, name, phone, address and what is in it (its country stays), last4, iban, ip;
                       e-mail addresses and card numbers wherever they stand; addresses of clients in forwarding headers
    private pages      URLs such as hosted_invoice_url, of which only the host is kept

`Jörg Müller` becomes `Xxxx Xxxxxx`, `+49 221 9865` becomes `+00 000 0000`, `jm@acme.test` becomes `xx@example.com`: the same
each time, so that what was equal stays equal. The `name` of a product, a price, a plan or a coupon stays. Free text such as
`description` and `metadata` is looked through for e-mail addresses, card numbers and keys only. A body that is no text is
replaced whole. Signature headers stay, though they fit no more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

from msgspec import Struct, structs

from .captures import LARGEST_ANSWER, LARGEST_BODY, LONGEST_PATH, LONGEST_TITLE, LONGEST_VALUE, Answer, Capture
from .json_tokens import NoJson, Place, changed, check, string
from .personal import (
    BEARER,
    CARD,
    CLIENT_HEADER,
    EMAIL,
    EMAILS,
    IN_BODIES,
    IPS,
    JWT,
    KEY,
    NO_LETTER,
    OF_THINGS,
    PAGE_LISTS,
    PAGES,
    PERSONAL,
    SECRET_HEADER,
    SECRETS,
    STAYS,
    WHOLE,
    is_card,
)

T = TypeVar("T", str, bytes)

HIDDEN = "redacted"
ADDRESS = "192.0.2.1"
MOST_NAMED = 50


class Redaction(Struct, frozen=True):
    """`replaced` names what was, without any of it: "header Authorization", "body data.object.email". Not all of very many.

    `warning`: what could not be looked through well, "" if all could.
    """

    capture: Capture
    replaced: tuple[str, ...]
    warning: str = ""


def redacted(capture: Capture) -> Redaction:
    """The capture as others may see it. `redacted` is set where the signature cannot fit any more."""
    told: dict[str, None] = {}
    path, url = _query(capture.path, told), _query(capture.url, told)
    body, warning = _body(capture.body, _media_type(capture.headers), "body", LARGEST_BODY, told)
    headers = _headers(capture.headers, "header", told)
    if body != capture.body:
        headers = _with_length(headers, len(body))
    answer = capture.answer
    if answer is not None:
        answer = redacted_answer(answer, told)
    whole = structs.replace(
        capture,
        title=_found(capture.title)[:LONGEST_TITLE],
        path=path,
        url=url,
        headers=headers,
        body=body,
        answer=answer,
        redacted=capture.redacted or (path, url, body) != (capture.path, capture.url, capture.body),
    )
    return Redaction(whole, tuple(told), warning)


def shape(text: str) -> str:
    """Every letter an x, every digit a 0, all else as it was."""
    return "".join(map(_masked, text))


def _masked(letter: str) -> str:
    if letter.isnumeric():
        return "0"
    if letter.isalpha():
        return "X" if letter.isupper() else "x"
    return letter


def redacted_answer(answer: Answer, told: dict[str, None] | None = None) -> Answer:
    """The same for what an application said. `told` takes the names of what was replaced."""
    told = {} if told is None else told
    if answer.cut:
        # What breaks off is no JSON, and its members could not be told.
        body = _told(f"{HIDDEN}: a body that is not all there".encode(), answer.body, "answer's body", told)
    else:
        body, _ = _body(answer.body, _media_type(answer.headers), "answer's body", LARGEST_ANSWER, told)
    headers = _headers(answer.headers, "answer's header", told)
    return structs.replace(
        answer, headers=headers if body == answer.body else _with_length(headers, len(body)), body=body
    )


def _headers(headers: tuple[tuple[str, str], ...], where: str, told: dict[str, None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _told(_header(name, value), value, f"{where} {name}", told)) for name, value in headers)


def _header(name: str, value: str) -> str:
    if "signature" in name.lower() or not value:
        return value
    if CLIENT_HEADER.fullmatch(name):
        return ADDRESS
    if SECRET_HEADER.fullmatch(name):
        scheme, space, _ = value.partition(" ")
        return f"{scheme} {HIDDEN}" if space and scheme.isalpha() and "=" not in scheme else HIDDEN
    new = _found(_query(value, {}) if "://" in value else value)
    return new if len(new) <= LONGEST_VALUE else HIDDEN


def _with_length(headers: tuple[tuple[str, str], ...], size: int) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(size) if name.lower() == "content-length" else value) for name, value in headers)


def _media_type(headers: Iterable[tuple[str, str]]) -> str:
    said = (value for name, value in headers if name.lower() == "content-type")
    return next(said, "").partition(";")[0].strip().lower()


def _query(url: str, told: dict[str, None]) -> str:
    """A path or a URL, with its parameters looked through."""
    before, mark, query = url.partition("?")
    new = _in_path(before)
    if mark:
        new += mark + "&".join(_parameter(each, "query", told, plus=False) for each in query.split("&"))
    # Stand-ins may be longer than what they stand for.
    if len(new) > LONGEST_PATH:
        new = f"{before.partition('://')[0]}://{HIDDEN}" if "://" in before else f"/{HIDDEN}"
    return _told(new, url, "URL", told) if new.partition("?")[0] != before else new


def _in_path(path: str) -> str:
    plain, encoding = _unquoted(path, plus=False)
    hidden = _found(plain)
    return path if hidden == plain else quote(hidden, safe="/:@-._~!$&'()*+,;=[]", encoding=encoding)


def _unquoted(text: str, *, plus: bool) -> tuple[str, str]:
    """With the encoding that it was in: what is no UTF-8 is taken byte for byte."""
    read = unquote_plus if plus else unquote
    try:
        return read(text, "utf-8", "strict"), "utf-8"
    except UnicodeDecodeError:
        return read(text, "latin-1"), "latin-1"


def _parameter(pair: str, where: str, told: dict[str, None], *, plus: bool) -> str:
    name, mark, value = pair.partition("=")
    (plain, encoding), (member, _) = _unquoted(value, plus=plus), _unquoted(name, plus=plus)
    path = tuple(filter(None, re.split(r"[\[\].]+", member)))
    told_as = f"{where} {member}"
    if plain.startswith(("{", "[")) and _is_json(plain):
        # As GitHub sends it, if it is told to: payload={...}
        hidden = changed(plain, lambda token, place: _token(token, place, told_as, told))
    else:
        hidden = _text(plain, path, is_query=not plus)
    if not mark or hidden == plain:
        return pair
    write = quote_plus if plus else quote
    return _told(name + mark + write(hidden, encoding=encoding, errors="replace"), pair, told_as, told)


def _body(body: bytes, media_type: str, where: str, largest: int, told: dict[str, None]) -> tuple[bytes, str]:
    """With a warning, or "". What cannot be looked through, or has become too large, is replaced whole."""
    try:
        new, warning = _text_body(body.decode(), media_type, where, told)
    except UnicodeDecodeError:
        new, warning = f"{HIDDEN}: a body that is no text", ""
    content = new.encode()
    if len(content) > largest:
        content, warning = f"{HIDDEN}: a body that is too large with stand-ins in it".encode(), ""
    return _told(content, body, where, told) if content.startswith(f"{HIDDEN}: ".encode()) else content, warning


def _text_body(text: str, media_type: str, where: str, told: dict[str, None]) -> tuple[str, str]:
    looks_like_json = text.lstrip(" \t\r\n").startswith(("{", "["))
    if media_type == "application/x-www-form-urlencoded" and not (looks_like_json and _is_json(text)):
        return "&".join(_parameter(each, where, told, plus=True) for each in text.split("&")), ""
    if text and not _is_json(text):
        warning = "the body is no JSON: only e-mail addresses, card numbers and keys were looked for"
        return _told(_found(text), text, where, told), warning
    return changed(text, lambda token, place: _token(token, place, where, told)), ""


def _is_json(text: str) -> bool:
    try:
        check(text.encode("utf-8", "surrogatepass"))
    except NoJson:
        return False
    return True


def _token(token: str, place: Place, where: str, told: dict[str, None]) -> str:
    if token[0] != '"':
        new = _number(token, place.path) if place.role == "value" and token[0] not in "tfn" else token
    else:
        value = string(token)
        hidden = _found(value) if place.role == "key" else _text(value, place.path)
        new = token if hidden == value else json.dumps(hidden, ensure_ascii=token.isascii())
        new = new.replace("/", r"\/") if new != token and r"\/" in token else new
    return token if new == token else _told(new, token, f"{where} {_shown(place)}", told)


def _number(token: str, path: tuple[str, ...]) -> str:
    """Each digit a 1, because no number begins with a 0."""
    names = [_plain(each) for each in path]
    name = names[-1] if names else ""
    is_hidden = name in PERSONAL or name in IN_BODIES or _is_in_whole(names)
    return re.sub(r"[0-9]", "1", re.split("[eE]", token)[0]) if is_hidden else token


def _shown(place: Place) -> str:
    return _found(".".join(place.path))[:120]


def _text(value: str, path: tuple[str, ...], *, is_query: bool = False) -> str:
    """What stands instead of a text, by the names of the members that it is in."""
    names = [_plain(each) for each in path]
    name = names[-1] if names else ""
    if not value:
        return value
    if name in (SECRETS if is_query else IN_BODIES):
        return HIDDEN if is_query else shape(value)
    if name in EMAILS:
        return _found(value) if EMAIL.search(value) else shape(value)
    if name in IPS:
        return ADDRESS
    if (name in PAGES or any(each in PAGE_LISTS for each in names)) and "://" in value:
        parts = urlsplit(value) if value.isprintable() and "[" not in value else None
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{HIDDEN}" if parts is not None else shape(value)
    if name in PERSONAL or (name == "name" and not _is_of_a_thing(names)):
        return shape(_found(value)) if not EMAIL.search(value) else _found(value)
    if _is_in_whole(names):
        return _found(value) if EMAIL.search(value) else shape(value)
    return _found(value)


def _is_in_whole(names: list[str]) -> bool:
    """Whether it stands in an address, or in another object that is personal all through."""
    around = names[:-1]
    return bool(around) and names[-1] not in STAYS and any(n in WHOLE or n.endswith("address") for n in around)


def _is_of_a_thing(names: list[str]) -> bool:
    return len(names) > 1 and any(each in OF_THINGS for each in names[-3:-1])


@lru_cache(4096)
def _plain(name: str) -> str:
    """first_name, firstName and First-Name are one."""
    return NO_LETTER.sub("", name).lower()


def _found(text: str) -> str:
    """`text` without what is recognised wherever it stands."""
    # A look for what each has in it takes a tenth of the time that its pattern takes.
    if "@" in text:
        text = EMAIL.sub(lambda found: f"{shape(found[1])}@example.com", text)
    if "_" in text:
        text = KEY.sub(lambda found: found[1] + shape(found[2]), text)
    if "eyJ" in text:
        text = JWT.sub(HIDDEN, text)
    if "Bearer" in text or "Basic" in text:
        text = BEARER.sub(lambda found: f"{found[1]} {HIDDEN}", text)
    return CARD.sub(lambda found: shape(found[0]) if is_card(found[0]) else found[0], text)


def _told(new: T, old: T, what: str, told: dict[str, None]) -> T:
    """`new`; where it is not `old`, that is noted."""
    if new != old and len(told) < MOST_NAMED:
        told.setdefault(_found(what))
    return new
