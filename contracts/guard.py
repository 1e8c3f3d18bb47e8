"""What a run may send: nothing but reads, or writes to what it has created itself, or anything.

Every request of a run goes by here (see `contracts.http.Client.send`), so that a law that is wrong cannot do harm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import unquote

from .bundle import Bundle, Operation
from .http import Answer, Guard, NotAllowed, Request
from .target import Target

READS = frozenset(("GET", "HEAD", "OPTIONS"))
WORLD = "/w/contract-"
"""How the worlds begin that a run makes (see `contracts.places`)."""
REFERENCES = re.compile(r"(?:.*_id|id|ids|.*_ids|client_reference_id)")
"""Members of a body that name something."""
NO_NAMES = frozenset(("price_id", "tier_id", "external_id"))
"""Those that name nothing of the target's."""
IN_EVENTS = frozenset(("client_reference_id", "org_id"))
"""How an event of a provider says whose it is; all other ids in it are the provider's."""
EVENT = IN_EVENTS | {"id", "subscription"}


class Ledger(Protocol):
    """Is told of what is about to be created and of what was (see `contracts.cleanup.Journal`)."""

    def will_create(self, operation: str, org: str | None, name: str | None) -> int: ...

    def created(self, number: int, operation: str, made: str | None, org: str | None) -> None: ...

    def deleted(self, made: str) -> None: ...


class NoLedger:
    """Where nothing has to be cleaned up."""

    def will_create(self, operation: str, org: str | None, name: str | None) -> int:
        return 0

    def created(self, number: int, operation: str, made: str | None, org: str | None) -> None: ...

    def deleted(self, made: str) -> None: ...


def guard_of(target: Target, bundle: Bundle, ledger: Ledger | None = None) -> Guard | None:
    """The guard that a target asks for; None where everything may be sent."""
    if target.may == "read-only":
        return ReadOnly()
    if target.ports.control is not None:
        return OnlyWorlds() if target.may == "own-objects" else None
    return OwnObjects(target, bundle, ledger) if target.may == "own-objects" else None


class ReadOnly:
    def before(self, base_path: str, request: Request) -> None:
        if request.method not in READS:
            raise NotAllowed(f"{request.method} {_path(request)} is no read")

    def after(self, base_path: str, request: Request, answer: Answer | None) -> None: ...


class OnlyWorlds:
    """Writes go to the worlds that were made for the run, and to no other."""

    def before(self, base_path: str, request: Request) -> None:
        if request.method not in READS and not base_path.startswith(WORLD):
            raise NotAllowed(f"{request.method} {base_path}{_path(request)} is outside of the worlds of this run")

    def after(self, base_path: str, request: Request, answer: Answer | None) -> None: ...


class OwnObjects:
    """A write has to name something that this run has made, and nothing that it has not.

    The one exception makes an organization below `orgs.own`: that is where all else goes.
    """

    def __init__(self, target: Target, bundle: Bundle, ledger: Ledger | None = None) -> None:
        self._parent, self._bundle, self._ledger = target.org, bundle, ledger or NoLedger()
        self._foreign = [each for each in (target.org, target.other_org, target.portal) if each]
        self.orgs: set[str] = set()
        self.made: set[str] = set()
        self._under_way: dict[int, int] = {}

    def before(self, base_path: str, request: Request) -> None:
        if request.method in READS:
            return
        operation = self._routed(request)
        self._judged(operation, request)
        if _creates(operation):
            self._under_way[id(request)] = self._ledger.will_create(
                operation.id, self._org_of(request), _named(request)
            )

    def after(self, base_path: str, request: Request, answer: Answer | None) -> None:
        number = self._under_way.pop(id(request), None)
        if request.method in READS or answer is None:
            return
        operation = self._routed(request)
        succeeded = 200 <= answer.status < 300
        if succeeded and operation.id == "post_org_billing_checkout" and isinstance(answer.json, Mapping):
            # By these the provider's events name what was bought.
            found = (answer.json.get("external_id"), answer.json.get("subscription_id"))
            self.made |= {each for each in found if isinstance(each, str)}
        if number is not None:
            made = _made(answer) if succeeded else None
            if made is not None:
                (self.orgs if operation.id == "create_org" else self.made).add(made)
            self._ledger.created(number, operation.id, made, self._org_of(request))
        elif succeeded and self._is_final(operation):
            for each in self._named_in_path(operation, request).values():
                self._ledger.deleted(each)

    def _is_final(self, operation: Operation) -> bool:
        """Whether nothing is left of what it deletes: of some things a deletion only puts them away."""
        verb, _, kind = operation.id.partition("_")
        return verb == "purge" or (operation.method == "DELETE" and f"purge_{kind}" not in self._bundle.operations)

    def _routed(self, request: Request) -> Operation:
        operation = self._bundle.routed(request.method, unquote(_path(request)))
        if operation is None:
            raise NotAllowed(
                f"{request.method} {_path(request)} is no operation of the contract: what it changes is unknown"
            )
        return operation

    def _judged(self, operation: Operation, request: Request) -> None:
        """Raises NotAllowed."""
        body = _json(request)
        if operation.id == "create_org":
            parents = [value for _, value in _references(body, {"parent_id"}.__contains__)]
            if not parents or any(each != self._parent and each not in self.orgs for each in parents):
                raise NotAllowed("an organization may only be made below orgs.own")
            return
        named = [
            *self._named_in_path(operation, request).items(),
            *(("X-Org", value) for name, value in request.headers if name.lower() == "x-org"),
            *self._of_body(operation, body),
        ]
        if body is UNREADABLE:
            named += [("its body", each) for each in self._foreign if each.encode() in (request.body or b"")]
        foreign = [name for name, value in named if value not in self.orgs and value not in self.made]
        if foreign:
            raise NotAllowed(f"{operation.id} names with {foreign[0]!r} what this run has not made")
        if not named:
            raise NotAllowed(f"{operation.id} would write to the caller's own organization")

    def _of_body(self, operation: Operation, body: Any) -> Iterator[tuple[str, str]]:
        if operation.id != "post_billing_webhook":
            return _references(body, lambda name: REFERENCES.fullmatch(name) is not None and name not in NO_NAMES)
        # Of the provider's ids only those count that came from a checkout of this run.
        return (each for each in _references(body, EVENT.__contains__) if each[0] in IN_EVENTS or each[1] in self.made)

    @staticmethod
    def _named_in_path(operation: Operation, request: Request) -> dict[str, str]:
        names = re.findall(r"\{([^}]+)\}", operation.path)
        pattern = re.sub(r"\\\{[^}]+\\\}", "([^/]+)", re.escape(operation.path))
        match = re.fullmatch(pattern, _path(request))
        assert match is not None, "it was routed"
        found = dict(zip(names, map(unquote, match.groups()), strict=True))
        return {name: value for name, value in found.items() if name == "id"}

    @staticmethod
    def _org_of(request: Request) -> str | None:
        return next((value for name, value in request.headers if name.lower() == "x-org"), None)


def _path(request: Request) -> str:
    return request.target.partition("?")[0]


def _creates(operation: Operation) -> bool:
    return operation.id.startswith("create_")


def _made(answer: Answer) -> str | None:
    found = answer.json.get("id") if isinstance(answer.json, Mapping) else None
    return found if isinstance(found, str) and found else None


def _json(request: Request) -> Any:
    """The body, with every object as its pairs: of two members of one name a target may take either."""
    try:
        return json.loads(request.body or b"null", object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return UNREADABLE


def _named(request: Request) -> str | None:
    """The name that is given to what is created."""
    body = _json(request)
    name = next((value for key, value in body if key == "name"), None) if isinstance(body, Pairs) else None
    return name if isinstance(name, str) else None


class Pairs(list[tuple[str, Any]]):
    """The members of an object."""


UNREADABLE: Any = object()


def _references(value: Any, is_one: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Members anywhere in a body that name something, with what they name."""
    if isinstance(value, Pairs):
        for name, each in value:
            if is_one(name):
                for text in each if isinstance(each, list) and not isinstance(each, Pairs) else [each]:
                    if isinstance(text, str):
                        yield name, text
            yield from _references(each, is_one)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each, is_one)
