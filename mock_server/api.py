"""What an emulated API is, in code. Each `apis/<name>/api.py` exports one of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from starlette.datastructures import Headers

from mock_server.engine.callers import Caller, Rejected
from mock_server.engine.changes import Change
from mock_server.engine.decisions import Accepted, Context, Refused
from mock_server.engine.explanations import Explanation
from mock_server.engine.instants import Instant
from mock_server.engine.kernel import JobFunction
from mock_server.engine.problems import Problem
from mock_server.fixtures import Located

Handler = Callable[[Any], Awaitable[Any]]
"""Takes a Call, gives a Reply (see `mock_server.http.exchange`)."""


Page = Callable[[Any, Context, str, Mapping[str, str], str], str | None]
"""State, context, second step of the path, query and base URL -> inner HTML; None if there is no such page."""


class Token(msgspec.Struct, frozen=True):
    """The secret that a request shows, and the world it names with `@world` at its end."""

    secret: str
    world: str | None = None


class ShownCredential(msgspec.Struct, frozen=True):
    """A credential of a world's scenario, ready to paste."""

    secret: str
    name: str
    role: str
    permissions: tuple[str, ...]
    org: str | None = None
    revoked: bool = False


class Api(msgspec.Struct, frozen=True):
    """One emulated API.

    base_paths     where its operations hang below the mount; the first is the bundle's, the others are aliases
    token          the secret that a request's headers show, None without one; `strict` refuses legacy forms
    identify       whose secret it is, in a domain state at an instant
    challenge      the value of WWW-Authenticate
    render         a problem and the request's id -> body and media type of the API's own error envelope
    initial_state  a scenario's part for this API, at an instant, with a seed and options -> first domain state, effects
    settings       the type of the domain's `settings` member
    dump, load     the domain state as JSON values and back; load raises ValueError saying what is wrong
    jobs           what may fall due, by name
    key_used       notes that a caller's API key was used (after every request with one that was not refused)
    reconsidered   what follows in a domain state whose settings have just changed
    consumed       usage of a metered quota without the calls that cause it: organization, key, amount, session
    probe          what the API's reads would answer in a state: operationId and body, for checking states from files
    pages          what links of the API lead to, by the first step of the path below the mount
    token_form     how a client wants a secret written, given the API's origin
    compared       what differs between two domain states, in the order in which a reader wants to hear of it
    causes         for each job, why it was scheduled: domain state and the job's arguments -> a sentence
    explained      why the model refused, in the state that it refused in; None where it has no more to say than the
                   problem itself
    told           what an event of that topic would say that somebody asks for: domain state, context, topic, organization
                   -> subject and data; None if there is no such organization
    topics         what is told of: all that its jobs and commands emit
    """

    name: str
    title: str
    base_paths: tuple[str, ...]
    handlers: Mapping[str, Handler]
    token: Callable[[Headers, bool], Token | Rejected | None]
    identify: Callable[[Any, str, Instant], Caller | Rejected]
    challenge: str
    render: Callable[[Problem, str], tuple[bytes, str]]
    initial_state: Callable[[Located[Any], Instant, int, Mapping[str, int]], Accepted[Any, Any]]
    settings: type[msgspec.Struct]
    dump: Callable[[Any], dict[str, Any]]
    load: Callable[[Any], Any]
    credentials: Callable[[Any], list[ShownCredential]]
    token_form: Callable[[str, str], str]
    probe: Callable[[Any, Context], Iterable[tuple[str, Any]]] = lambda *_: ()
    pages: Mapping[str, Page] = {}
    jobs: Mapping[str, JobFunction] = {}
    key_used: Callable[[Any, Caller, Context], Accepted[Any, None]] | None = None
    reconsidered: Callable[[Any, Context], Accepted[Any, None]] = lambda state, _: Accepted(state, None)
    consumed: Callable[[Any, Context, str, str, int, str | None], Accepted[Any, Any] | Refused] | None = None
    aliases: Mapping[str, str] = {}
    compared: Callable[[Any, Any], list[Change]] = lambda _, __: []
    causes: Mapping[str, Callable[[Any, Mapping[str, Any]], str]] = {}
    explained: Callable[[Any, Context, Problem, Caller | None], Explanation | None] = lambda *_: None
    told: Callable[[Any, Context, str, str | None], tuple[str, dict[str, Any]] | None] = lambda *_: None
    topics: tuple[str, ...] = ()
