"""One try: the same things done to the target and to the oracle, every answer held against the bundle and the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.engine.instants import SECOND, add_duration
from mock_server.openapi.walk import at

from .broken import Broken, differing, shown
from .bundle import UNSET, Bundle, Operation, place_of
from .carrying import USUAL, carried
from .comparison import Correspondence, Freedom
from .edges import end_of
from .findings import Shown
from .http import Answer, Headers, NoAnswer, Request
from .machine import wall
from .oracle import Twin
from .places import Place
from .signing import signed
from .steps import Call, Consume, Move, Step, Unresolved, filled, moment, named
from .target import ROLES, Target
from .texts import about, texts

REAL_TIME = 15 * SECOND
SHARED_LISTS = {"get_admin_quota_overrides": "overrides", "list_orgs": "items"}
"""Lists that show more than the organization of a try, and the member with their rows."""


class Watcher:
    """Is told of every answer (see `contracts.bench`)."""

    def seen(self, operation: Operation, status: int, *, verified: bool, masked: bool) -> None: ...


class Case:
    """`ask` calls an operation on both sides. Ids in what a law writes and reads are the oracle's."""

    def __init__(
        self, target: Target, bundle: Bundle, freedom: Freedom, place: Place, twin: Twin, watcher: Watcher
    ) -> None:
        self.target, self.bundle, self.place, self.twin = target, bundle, place, twin
        tolerance = REAL_TIME if place.clock is None else SECOND
        self.same = Correspondence(freedom, tolerance)
        self.numbered: list[tuple[int, Step]] = []
        """The steps so far, each with the number under which later ones may name what it gave."""
        self.shown: list[Shown] = []
        self.answers: dict[int, Answer] = {}
        self._known: dict[str, str] = {}
        self._names: dict[str, str] = {**twin.names, "try": "1" if place.is_own else f"{wall():x}"}
        self._watcher = watcher
        self._number = 0
        self.needs_org = False
        """Whether requests must name the organization, because the callers' own is another."""
        for name, value in twin.names.items():
            self._known[value] = name
            if name in place.names:
                self.same.pair(value, place.names[name])

    # -- what laws do -------------------------------------------------------------------------------------------------

    @property
    def org(self) -> str:
        """The organization of this try."""
        return self._names["org"]

    @property
    def now(self) -> int:
        return self.twin.now

    def name(self, name: str) -> str:
        return self._names[name]

    def settle_in(self, org: str) -> None:
        """From here on this organization is the one that the try is about; what led here is not part of its steps."""
        self._names["org"] = org
        self._known = {value: name for value, name in self._known.items() if name != "org"} | {org: "org"}
        self.numbered.clear()
        self.needs_org = True

    def ask(
        self,
        operation: str,
        caller: str | None = "owner",
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = UNSET,
        body: bytes | None = None,
        media_type: str | None = None,
        signing: Mapping[str, Any] | None = None,
        carried: str = USUAL,
    ) -> Answer:
        """The oracle's answer, once the target's has been found to say the same. Raises Broken."""
        call = Call(
            operation,
            caller,
            dict(path or {}),
            dict(query or {}),
            dict(headers or {}),
            msgspec.UNSET if json is UNSET else json,
            None if body is None else body.decode("latin-1"),
            media_type,
            signing,
            carried,
        )
        return self.do(call)

    def advance(self, duration: str) -> None:
        """Both clocks move by an ISO 8601 duration."""
        self.do(Move(by=duration))

    def to(self, edge: str, seconds: int = 0) -> None:
        """Both clocks move to the end of the day, week, month or year that now is in, some seconds after or before."""
        self.do(Move(edge=edge, seconds=seconds))

    def consume(self, key: str, amount: int) -> None:
        """Uses up some of a metered quota of the organization, by the usage port."""
        self.do(Consume(key, amount))

    # -- steps --------------------------------------------------------------------------------------------------------

    def do(self, step: Step, number: int | None = None) -> Answer:
        """Carry a step out on both sides. Raises Broken, Unresolved, PortError or Stopped."""
        self._number = self._number + 1 if number is None else number
        self.numbered.append((self._number, self.as_data(step)))
        if isinstance(step, Move):
            self._move(step)
            return Answer(0, (), b"")
        if isinstance(step, Consume):
            return self._consume(step)
        return self._call(step)

    def as_data(self, step: Step) -> Step:
        """The step with every id that this case knows replaced by its name."""
        if not isinstance(step, Call):
            return step
        caller = None if step.caller is None or step.caller in ROLES else named(step.caller, self._known)
        return msgspec.structs.replace(
            step,
            caller=step.caller if step.caller in ROLES else caller,
            path=named(step.path, self._known),
            query=named(step.query, self._known),
            headers=named(step.headers, self._known),
            json=step.json if step.json is msgspec.UNSET else named(step.json, self._known),
        )

    def _resolve(self, name: str) -> Any:
        if name in self._names:
            return self._names[name]
        number, found, pointer = name.partition("#")
        if found and number.isdigit():
            answer = self.answers.get(int(number))
            value = None if answer is None else at(answer.json, pointer)
            if value is None:
                raise Unresolved(name)
            return value
        when = moment(name, self.twin.now)
        if when is None:
            raise Unresolved(name)
        return when

    def requests(self, call: Call) -> tuple[Request, Request]:
        """What a call is on either side: the oracle's request and the target's. Raises Unresolved."""
        operation = self.bundle[call.operation]
        call = msgspec.structs.replace(
            call,
            caller=call.caller if call.caller in ROLES else filled(call.caller, self._resolve),
            path=filled(call.path, self._resolve),
            query=filled(call.query, self._resolve),
            headers=filled(call.headers, self._resolve),
            json=call.json if call.json is msgspec.UNSET else filled(call.json, self._resolve),
        )
        self.same.given.update(text for _, _, text in texts(call.json))
        ours = self._request(operation, call, self.twin.credentials, self.twin.webhook_secret)
        secret = self.target.ports.webhook_secret or ""
        return ours, self._request(operation, self._translated(call), self.target.credentials, secret)

    def _call(self, call: Call) -> Answer:
        operation = self.bundle[call.operation]
        self.keep_time()
        ours, theirs = self.requests(call)
        came = self.sent(operation, theirs, call.caller)
        expected = self.twin.send(ours)
        self.held_against_the_bundle(operation, came)
        if (found := self.same.difference(*self.about_here(operation, expected, came))) is not None:
            raise differing(found, operation, came, named(found.wanted, self._known))
        self.verified(operation.id, came.status)
        self._learn(expected, ours.body or b"")
        return expected

    def about_here(self, operation: Operation, ours: Answer, theirs: Answer) -> tuple[Answer, Answer]:
        """Of lists that are about more than the organization of the try, only what is about it."""
        member = SHARED_LISTS.get(operation.id)
        if member is None or not self.needs_org:
            return ours, theirs
        here, there = about(ours, member, self.org), about(theirs, member, str(self.same.theirs(self.org)))
        return (ours, ours) if here is None or there is None else (here, there)

    def held_against_the_bundle(self, operation: Operation, came: Answer) -> None:
        """Raises Broken if an answer is not as declared."""
        wrong = operation.breach(came)
        self._watcher.seen(operation, came.status, verified=False, masked=False)
        if wrong is not None:
            where = place_of(wrong)
            raise Broken("contract", "an answer as declared", wrong[0], operation.id, came.status, where, wrong[1])

    def verified(self, operation: str, status: int) -> None:
        """An answer was held against more than its shape, and it was right."""
        self._watcher.seen(self.bundle[operation], status, verified=True, masked=False)

    def sent(self, operation: Operation, request: Request, caller: str | None = None) -> Answer:
        """Send to the target alone, and keep it among the steps that are shown. Raises Broken if no answer comes."""
        try:
            answer = self.place.client.send(request)
        except NoAnswer as error:
            self.shown.append(shown(self.place.url, request, None, caller))
            raise Broken("no answer", "an answer", str(error), operation.id, clause=operation.pointer) from None
        self.shown.append(shown(self.place.url, request, answer, caller))
        return answer

    def _translated(self, call: Call) -> Call:
        return msgspec.structs.replace(
            call,
            caller=self.same.theirs(call.caller),
            path=self.same.theirs(call.path),
            query=self.same.theirs(call.query),
            headers=self.same.theirs(call.headers),
            json=call.json if call.json is msgspec.UNSET else self.same.theirs(call.json),
        )

    def _request(self, operation: Operation, call: Call, credentials: Mapping[str, str], secret: str) -> Request:
        headers: Headers = tuple(call.headers.items())
        if call.caller is not None:
            headers = (*carried(credentials.get(call.caller, call.caller), call.carried), *headers)
        if self.needs_org and call.caller != "other" and "X-Org" not in call.headers and operation.takes_org:
            mine = credentials is self.twin.credentials
            headers = (*headers, ("X-Org", self.org if mine else self.same.theirs(self.org)))
        if self.target.extra_headers and credentials is self.target.credentials:
            headers = (*headers, *self.target.extra_headers.items())
        body = None if call.body is None else call.body.encode("latin-1")
        json = UNSET if call.json is msgspec.UNSET else call.json
        if call.signing is not None:
            body, more = signed(json, call.signing, secret, self.twin.now)
            return operation.request(call.path, call.query, (*headers, *more), UNSET, body, call.media_type)
        return operation.request(call.path, call.query, headers, json, body, call.media_type)

    def _learn(self, answer: Answer, sent: bytes) -> None:
        """What a request itself brought along is not given by its answer."""
        self.answers[self._number] = answer
        for pointer, member, value in texts(answer.json):
            if member in self.same.freedom.own and value not in self._known and value.encode() not in sent:
                self._known[value] = f"{self._number}#{pointer}"

    def _move(self, move: Move) -> None:
        assert self.place.clock is not None, "a law that moves the clock needs the port"
        now = self.twin.now
        wanted = (
            add_duration(now, move.by)
            if move.by is not None
            else end_of(move.edge or "day", now) + move.seconds * SECOND
        )
        self.shown.append(Shown(move.title))
        if wanted > now:
            self.twin.move(self.place.clock.move(wanted))

    def _consume(self, step: Consume) -> Answer:
        assert self.place.usage is not None, "a law that consumes needs the port"
        self.keep_time()
        expected = self.twin.consume(self.org, step.key, step.amount)
        body = {"org": self.same.theirs(self.org), "key": step.key, "amount": step.amount}
        came = self.place.usage.ask("POST", body)
        self.shown.append(Shown(f"{step.amount} of {step.key} are used up"))
        if (expected.status < 300) != (came.status < 300):
            text = f"{step.amount} more of {step.key} to be {'taken' if expected.status < 300 else 'refused'}"
            raise Broken("status", text, f"status {came.status}", None, came.status)
        return expected

    def keep_time(self) -> None:
        """Where nobody moves the target's clock it goes on by itself."""
        if self.place.clock is None:
            self.twin.move(wall())
