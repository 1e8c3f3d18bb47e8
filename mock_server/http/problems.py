"""What HTTP itself refuses, in one table: before a handler is asked, or when nobody should have been asked."""

from __future__ import annotations

from mock_server.engine.problems import ProblemType

ROUTE_NOT_FOUND = ProblemType("not_found", 404, "{method} {path} is not an operation of {api}.", "route")
METHOD_NOT_ALLOWED = ProblemType("method_not_allowed", 405, "{path} does not answer {method}, only: {allow}.", "route")
TOO_LARGE = ProblemType("too_large", 413, "The request body is larger than {limit} bytes.", "size")
UNAUTHENTICATED = ProblemType("unauthenticated", 401, "The request was refused because {reason}.", "credential")
FORBIDDEN = ProblemType(
    "forbidden", 403, "This needs the permission {permission!r}, which the credential does not have.", "permission"
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported_media_type", 415, "The request body cannot be read: {reason}.", "media_type"
)
INVALID_REQUEST = ProblemType("invalid_request", 400, "The request is not valid: {reason}.", "schema")

UNKNOWN_WORLD = ProblemType("unknown_world", 404, "There is no world {world!r}. Create it with: {command}")
INVALID_WORLD = ProblemType(
    "invalid_world_name", 400, "{world!r} is no world's name: up to 63 of a-z, 0-9 and -, not starting with -."
)
WORLDS_DISAGREE = ProblemType(
    "worlds_disagree", 400, "The request names several worlds: {named}. Name one, or the same one everywhere."
)
FORBIDDEN_HOST = ProblemType(
    "forbidden_host", 403, "The control API answers only under a loopback Host or --public-url, not under {host!r}."
)
FORBIDDEN_ORIGIN = ProblemType(
    "forbidden_origin", 403, "The control API does not serve pages of other origins, such as {origin!r}."
)
STOPPING = ProblemType("stopping", 503, "The server is stopping and gave up waiting for the rest of this request.")
INTERNAL_ERROR = ProblemType(
    "internal_error",
    500,
    "mockbill failed to answer this; that is a bug in mockbill. The server's log has the trace.",
    "server",
)
CONTRACT_BREACH = ProblemType(
    "contract_breach",
    500,
    "mockbill's own answer broke the contract of {operation}; that is a bug in mockbill: {reason}",
    "server",
)
