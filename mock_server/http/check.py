"""Every answer is held against the bundle before it leaves, whoever made it."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

import msgspec

from .contract import Operation, ResponseRule
from .schemas import first_error

_MOST_REMEMBERED = 512
_LARGEST_REMEMBERED = 64 * 1024
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class ResponseCheck:
    """Remembers the bodies it found in order: the same bytes under the same rule need no second look."""

    def __init__(self) -> None:
        self._fine: OrderedDict[tuple[int, bytes], None] = OrderedDict()

    def breach(self, rule: ResponseRule | None, status: int, headers: dict[str, str], body: bytes) -> str | None:
        """What is wrong with an answer under its rule (None: undeclared status); None if it keeps the contract."""
        if rule is None:
            return f"status {status} is not declared"
        for name, required, wants_integer, validator in rule.header_rules:
            value = headers.get(name)
            if value is None:
                if required:
                    return f"header {name!r} is missing"
            else:
                typed: Any = int(value) if wants_integer and _INTEGER.fullmatch(value) else value
                if (error := first_error(validator, typed)) is not None:
                    return f"header {name!r}: {error[1]}"
        return self._body_breach(rule, headers.get("content-type", ""), body)

    def body_breach(self, operation: Operation, body: Any) -> str | None:
        """What would be wrong with `body` as an answer 200 of `operation`; None if nothing would."""
        validator = operation.responses[200].body_validator("application/json")
        value = msgspec.json.decode(msgspec.json.encode(body))
        found = first_error(validator, value) if validator is not None else None
        return None if found is None else f"body {found[0] or '/'}: {found[1]}"

    def _body_breach(self, rule: ResponseRule, content_type: str, body: bytes) -> str | None:
        if not rule.media_types:
            return "a body where none is declared" if body else None
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in rule.media_types:
            return f"media type {content_type!r} is not declared"
        key = (id(rule), body)
        if key in self._fine:
            return None
        validator = rule.body_validator(media_type)
        if validator is None:
            return None
        try:
            value: Any = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            return f"the body is not JSON: {error}"
        if (found := first_error(validator, value)) is not None:
            return f"body {found[0] or '/'}: {found[1]}"
        if len(body) <= _LARGEST_REMEMBERED:
            self._fine[key] = None
            if len(self._fine) > _MOST_REMEMBERED:
                self._fine.popitem(last=False)
        return None
