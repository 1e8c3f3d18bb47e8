"""`curl` commands, as browsers and tools copy them for bash, read and never executed. Pure."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from msgspec import Struct

from mock_server.engine.instants import Instant
from mock_server.webhooks.captures import LARGEST_BODY, Capture, CaptureError, written

from .curl_options import DATA, HEADERS, IGNORED, IGNORED_WITH_VALUE, REFUSED, SHORT_WITH_VALUE
from .shell import commands
from .sources import MOST_CAPTURES, POST, Imported, ImportProblem, Sent, capture_of, cleaned

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class _Asked(Struct):
    """A command as far as it is read."""

    method: str = ""
    url: str = ""
    headers: list[tuple[str, str]] = []
    removed: set[str] = set()
    data: list[bytes] = []
    has_data: bool = False
    is_json: bool = False


def read_curl(raw: bytes, now: Instant, provider: str | None = None) -> Imported:
    """One capture for each command. Raises ImportProblem."""
    if b'^"' in raw:
        raise ImportProblem("it is written for cmd.exe; copy it as cURL (bash)")
    captures: list[Capture] = []
    notes: dict[str, None] = {}
    for words in commands(raw.removeprefix(b"\xef\xbb\xbf")):
        if words[0].lower() not in (b"curl", b"curl.exe"):
            raise ImportProblem(f"only curl commands can be imported, and {_shown(words[0])} is none")
        if len(captures) >= MOST_CAPTURES:
            raise ImportProblem(f"there are more than {MOST_CAPTURES} commands")
        asked = _read(words[1:])
        capture = capture_of(_sent(asked, now, notes), provider)
        try:
            written(capture)
        except CaptureError as error:
            raise ImportProblem(str(error)) from None
        captures.append(capture)
    if not captures:
        raise ImportProblem("there is no curl command in it")
    return Imported(tuple(captures), tuple(notes))


def _shown(word: bytes) -> str:
    return repr(word[:40].decode("utf-8", "replace"))


def _read(words: list[bytes]) -> _Asked:
    asked = _Asked()
    only_urls = False
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if only_urls or not word.startswith(b"-") or word == b"-":
            if word:
                _url(asked, _text(word))
            continue
        if word == b"--":
            only_urls = True
            continue
        for name, joined in _options(word):
            value = joined or b""
            if joined is None and _takes_value(name):
                if at >= len(words):
                    raise ImportProblem(f"{name} lacks its value")
                value, at = words[at], at + 1
            _take(asked, name, value)
    return asked


def _options(word: bytes) -> list[tuple[str, bytes | None]]:
    """`-sSXPOST` is -s, -S and -X with POST; `--long` is itself."""
    if word.startswith(b"--"):
        return [(_text(word), None)]
    found: list[tuple[str, bytes | None]] = []
    for at in range(1, len(word)):
        name = "-" + word[at : at + 1].decode("latin-1")
        if name[1] in SHORT_WITH_VALUE:
            return [*found, (name, word[at + 1 :] or None)]
        found.append((name, None))
    return found


def _takes_value(name: str) -> bool:
    return (
        name in DATA
        or name in HEADERS
        or name in IGNORED_WITH_VALUE
        or name in ("-X", "--request", "-H", "--header", "-u", "--user", "-b", "--cookie", "--url", "--oauth2-bearer")
    )


def _take(asked: _Asked, name: str, value: bytes) -> None:
    if name in DATA:
        asked.has_data = True
        asked.data.append(_data(DATA[name], name, value))
        asked.is_json = asked.is_json or name == "--json"
    elif name in ("-X", "--request"):
        asked.method = _text(value)
    elif name in ("-H", "--header"):
        _header(asked, value)
    elif name in HEADERS:
        asked.headers.append((HEADERS[name], _text(value)))
    elif name in ("-u", "--user"):
        asked.headers.append(("Authorization", f"Basic {b64encode(value).decode()}"))
    elif name == "--oauth2-bearer":
        asked.headers.append(("Authorization", f"Bearer {_text(value)}"))
    elif name in ("-b", "--cookie"):
        if b"=" not in value:
            raise ImportProblem(f"{name} reads cookies from a file, and no file is read")
        asked.headers.append(("Cookie", _text(value)))
    elif name == "--url":
        _url(asked, _text(value))
    elif name in ("-I", "--head"):
        asked.method = asked.method or "HEAD"
    elif name in REFUSED:
        raise ImportProblem(f"{name} cannot be imported: {REFUSED[name]}")
    elif name not in IGNORED and name not in IGNORED_WITH_VALUE:
        raise ImportProblem(f"{name[:40]!r} is an option of curl that is not understood here")


def _data(kind: str, name: str, value: bytes) -> bytes:
    if kind in ("data", "json") and value.startswith(b"@"):
        raise ImportProblem(f"{name} @... reads a file, and no file is read: put its content there, with --data-raw")
    if kind != "urlencode":
        return value
    before, mark, content = value.partition(b"=")
    if not mark and b"@" in value:
        raise ImportProblem(f"{name} ...@... reads a file, and no file is read")
    encoded = quote(content if mark else value, safe="").encode()
    return before + b"=" + encoded if mark and before else encoded


def _header(asked: _Asked, value: bytes) -> None:
    if value.startswith(b"@"):
        raise ImportProblem("-H @... reads a file, and no file is read")
    name, colon, text = value.partition(b":")
    if not colon:
        if value.endswith(b";"):
            asked.headers.append((_text(value[:-1]), ""))
        return
    if text.strip():
        asked.headers.append((_text(name).strip(), _text(text).strip()))
    else:
        asked.removed.add(_text(name).strip().lower())


def _url(asked: _Asked, text: str) -> None:
    if asked.url:
        raise ImportProblem("a command calls two URLs: split it in two")
    asked.url = text if "://" in text else f"http://{text}"


def _sent(asked: _Asked, now: Instant, notes: dict[str, None]) -> Sent:
    if not asked.url:
        raise ImportProblem("a curl command has no URL")
    body = (b"" if asked.is_json else b"&").join(asked.data)
    if len(body) > LARGEST_BODY:
        raise ImportProblem(f"the body is larger than {LARGEST_BODY} bytes")
    headers, left_out = cleaned(asked.headers)
    if left_out:
        raise ImportProblem("a header in it is none")
    given = {name.lower() for name, _ in headers} | asked.removed
    more = [("Content-Type", JSON), ("Accept", JSON)] if asked.is_json else [("Content-Type", FORM)]
    headers += tuple(each for each in more if asked.has_data and each[0].lower() not in given)
    if not body:
        notes["there is a request without a body"] = None
    return Sent(asked.method or (POST if asked.has_data else "GET"), asked.url, headers, body, now)


def _text(value: bytes) -> str:
    """Bytes that are no UTF-8 are told as Latin-1, which a header can carry as they are."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
