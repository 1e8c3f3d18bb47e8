"""Speaks to the control API of a running mock, and knows what is no mock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

HERE = "http://127.0.0.1:4010"
PATIENCE_S = 30.0
# For what may take the mock a while: years of a clock, states of many organizations.
LONG_PATIENCE_S = 600.0
LARGEST = 512 * 2**20
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
TOKEN = re.compile(r"[!-~]+")
NO_CONTENT, UNAUTHORIZED = 204, 401
STOPPING, UNKNOWN_WORLD = "stopping", "unknown_world"
URL = re.compile(r"https?://[^/]", re.IGNORECASE)
_WORLD = re.compile(r"world '([a-z0-9-]+)'")
JSON = "application/json"

Query = Mapping[str, str | int]


class WrongUse(Exception):
    """What was asked for cannot be done; the message says why."""


class Refused(WrongUse):
    """The mock said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Exception):
    """Nothing answers, or what answers is no mock."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What the mock said: understood, and as it came over the wire."""

    value: T
    raw: bytes


@dataclass(frozen=True)
class Came:
    """What came over the wire."""

    status: int
    media_type: str
    content: bytes


class Refusal(msgspec.Struct, frozen=True):
    """The part of an error that is for people."""

    message: str
    error_code: str


class Mock:
    """A mock at a URL. Every method raises `Refused` when it says no, and `Unreachable` when it is not there."""

    def __init__(self, url: str, token: str | None = None, patience: float | None = None) -> None:
        self.url = url.rstrip("/")
        self.token = (token or "").strip()
        self.patience = patience

    def get(self, shape: type[T], *path: str, query: Query | None = None, patience: float = PATIENCE_S) -> Answer[T]:
        return self._understood(shape, self._ask("GET", path, patience, query).content)

    def post(
        self, shape: type[T], *path: str, body: Any = None, query: Query | None = None, patience: float = PATIENCE_S
    ) -> Answer[T]:
        return self._understood(shape, self._ask("POST", path, patience, query, _encoded(body)).content)

    def patch(self, shape: type[T], *path: str, body: Any, query: Query | None = None) -> Answer[T]:
        return self._understood(shape, self._ask("PATCH", path, PATIENCE_S, query, _encoded(body)).content)

    def put(self, shape: type[T], *path: str, body: bytes) -> Answer[T]:
        return self._understood(shape, self._ask("PUT", path, LONG_PATIENCE_S, body=body).content)

    def delete(self, *path: str) -> None:
        if self._ask("DELETE", path, PATIENCE_S).status != NO_CONTENT:
            raise self._no_mock()

    def file(self, *path: str, query: Query, media_type: str) -> bytes:
        """A file as it came."""
        came = self._ask("GET", path, LONG_PATIENCE_S, query)
        if came.media_type != media_type:
            raise self._no_mock()
        return self._understood(dict[str, Any], came.content).raw if media_type == JSON else came.content

    def _ask(
        self, method: str, path: tuple[str, ...], patience: float, query: Query | None = None, body: bytes | None = None
    ) -> Came:
        import httpx

        if not URL.match(self.url):
            raise WrongUse(f"{self.url!r} is not where a mock can be: give http://HOST:PORT as --url or MOCKBILL_URL")
        url = f"{self.url}/_mock/{_joined(path)}"
        try:
            with httpx.Client(
                trust_env=False,
                # Loading the certificates takes longer than the rest, and plain HTTP needs none.
                verify=not url.lower().startswith("http:"),
                timeout=self.patience or patience,
            ) as client:
                request = client.build_request(method, url, params=query, content=body, headers=self._headers(body))
                answer = client.send(request, stream=True)
                content = self._read(answer.iter_bytes())
        except UnicodeEncodeError:
            raise WrongUse("an argument has letters that are no Unicode") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OverflowError) as error:
            reason = (str(error) or type(error).__name__).rstrip(".")
            raise Unreachable(f"no mock answers at {self.url}: {reason}. Start one with: mockbill serve") from None
        if not answer.is_success:
            raise self._refused(answer.status_code, content)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Came(answer.status_code, media_type, content)

    def _headers(self, body: bytes | None) -> dict[str, str]:
        if self.token and not TOKEN.fullmatch(self.token):
            raise WrongUse("the token has letters that no header can carry; copy it as `mockbill serve` printed it")
        told = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return told if body is None else {**told, "Content-Type": JSON}

    def _read(self, chunks: Iterable[bytes]) -> bytes:
        content = bytearray()
        for chunk in chunks:
            content += chunk
            if len(content) > LARGEST:
                raise self._no_mock()
        return bytes(content)

    def _understood(self, shape: type[T], content: bytes) -> Answer[T]:
        try:
            content.decode()
            return Answer(msgspec.json.decode(content, type=shape), content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._no_mock() from None

    def _refused(self, status: int, content: bytes) -> Refused | Unreachable:
        refusal = self._understood(Refusal, content).value
        if refusal.error_code == STOPPING:
            return Unreachable(f"the mock at {self.url} is stopping. Start one with: mockbill serve")
        if status == UNAUTHORIZED:
            return Refused(
                status, f"{refusal.message} Give the token that `mockbill serve` printed as --token or MOCKBILL_TOKEN."
            )
        if refusal.error_code == UNKNOWN_WORLD and (named := _WORLD.search(refusal.message)) is not None:
            name = named[1]
            return Refused(status, f"There is no world {name!r}. Create it with: mockbill worlds create {name}")
        return Refused(status, refusal.message)

    def _no_mock(self) -> Unreachable:
        return Unreachable(f"what answers at {self.url} is no mock. Start one with: mockbill serve")


def _joined(path: tuple[str, ...]) -> str:
    """Names only: `..` as the name of a snapshot would be the path of its world, and delete that."""
    for part in path:
        if not NAME.fullmatch(part):
            raise WrongUse(f"{part!r} is not a name: letters a to z, digits and hyphens, not starting with a hyphen")
    return "/".join(path)


def _encoded(body: Any) -> bytes | None:
    try:
        return None if body is None else msgspec.json.encode(body)
    except UnicodeEncodeError:
        raise WrongUse("an argument has letters that are no Unicode") from None
