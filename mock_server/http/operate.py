"""From a call to its checked answer: ask Connexion, turn refusals into the API's envelope, hold it against the bundle."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope

from mock_server.api import Api, Token
from mock_server.engine.callers import Caller, Rejected
from mock_server.engine.instants import Instant

from .addressing import Address
from .answers import Answer, answer_to, corrected
from .connexion_app import ROUTING_CONTEXT
from .contract import METHOD_NOT_ALLOWED, ROUTE_NOT_FOUND
from .exchange import Call, Refusal
from .mock import Mock, Served
from .problems import INTERNAL_ERROR
from .problems import METHOD_NOT_ALLOWED as METHOD_REFUSED
from .problems import ROUTE_NOT_FOUND as NO_ROUTE
from .routes import Node
from .stages import CALL, invalid

log = logging.getLogger("mockbill")


def identity(api: Api, token: Token | Rejected | None, domain: object, now: Instant) -> Caller | Rejected | None:
    """Whom the request stands for; not yet judged."""
    return api.identify(domain, token.secret, now) if isinstance(token, Token) else token


async def operate(mock: Mock, served: Served, call: Call, scope: Scope, receive: Receive, request_id: str) -> Answer:
    """The answer to a call whose body has been read."""
    answer = Answer()
    try:
        inner = dict(scope)
        inner["method"] = call.operation.method
        inner[CALL] = call
        inner["extensions"] = {ROUTING_CONTEXT: call.operation.routing}
        await served.app(inner, receive, answer.receive)
    except Refusal as refusal:
        answer = answer_to(served.api, refusal.problem, request_id)
    except HTTPException as error:
        # Nothing of Connexion's own should refuse before our stages do; if it does, it is still an answer.
        log.warning("connexion refused %r: %s %s", call.operation, error.status_code, error.detail)
        answer = answer_to(served.api, invalid("request", "-", str(error.detail)).problem, request_id)
    except Exception as error:
        log.exception("%r failed", call.operation)
        mock.breaches.append(f"{call.operation!r}: {error!r}")
        return answer_to(served.api, INTERNAL_ERROR(), request_id)
    return checked(mock, served, call, answer, request_id)


def checked(mock: Mock, served: Served, call: Call, answer: Answer, request_id: str) -> Answer:
    rule = call.operation.responses.get(answer.status)
    return corrected(mock, served.api, repr(call.operation), rule, answer, request_id)


def unrouted(mock: Mock, served: Served, node: Node | None, method: str, address: Address, request_id: str) -> Answer:
    """404 for a path that is no operation's, 405 for a method that it does not answer."""
    path = "/" + "/".join(address.rest).encode("ascii", "backslashreplace").decode()[:200]
    if node is None:
        nearest = served.routes.nearest(method, path)
        problem = NO_ROUTE(method=method[:20], path=path, api=served.api.title, did_you_mean=nearest)
        name = ROUTE_NOT_FOUND
    else:
        problem = METHOD_REFUSED(method=method[:20], path=path, allow=node.allow)
        problem = problem.with_headers(("Allow", node.allow))
        name = METHOD_NOT_ALLOWED
    answer = answer_to(served.api, problem, request_id)
    return corrected(mock, served.api, name, served.contract.named_responses.get(name), answer, request_id)
