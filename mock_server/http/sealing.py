"""Which secrets an entry of the journal holds: what its credentials show, and what the bundle marks."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers

from mock_server.api import Api, Token
from mock_server.openapi.secrets import secrets_in
from mock_server.store.journal import Entry

from .bodies import InvalidJson, parse_json
from .contract import Operation
from .masking import CREDENTIAL_HEADERS, MASK, last_words, mask


def seal(api: Api, known: Sequence[str], operation: Operation | None, entry: Entry) -> None:
    marked: Sequence[str] = ()
    if operation is not None:
        marked = marked_secrets(operation, entry.worked or entry.status, entry.body, entry.answer)
        if operation.secret_paths and entry.body and not _is_json(entry.body):
            entry.body = MASK  # it may hold secrets, and nobody can tell where
    mask(entry, _shown(api, entry), (*known, *marked))


def _shown(api: Api, entry: Entry) -> set[str]:
    """The secrets in all headers that carry credentials, also in those that did not count."""
    found: set[str] = set()
    for header in entry.headers:
        if header[0] in CREDENTIAL_HEADERS:
            token = api.token(Headers(raw=[header]), False)
            found.update([token.secret] if isinstance(token, Token) else last_words([header]))
    return found


def _is_json(raw: bytes) -> bool:
    try:
        parse_json(raw)
    except InvalidJson:
        return False
    return True


def marked_secrets(operation: Operation, status: int, body: bytes, answer: bytes) -> list[str]:
    """What the bundle marks as secret in the bodies of request and answer."""
    found: list[str] = []
    rule = operation.responses.get(status)
    for paths, raw in ((operation.secret_paths, body), (rule.secret_paths if rule else (), answer)):
        if paths and raw:
            try:
                found += secrets_in(parse_json(raw), paths)
            except InvalidJson:
                pass
    return found
