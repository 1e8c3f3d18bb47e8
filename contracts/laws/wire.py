"""The wire: what any client sees of a request and its answer, before any of it means something."""

from __future__ import annotations

from contracts.law import Law
from contracts.openapp import beyond
from contracts.target import Need
from contracts.wire import bodies, encodings, framing, headers, reading, routes

INVALID = "/components/responses/InvalidRequest"
NOTHING: frozenset[Need] = frozenset()
WRITES: frozenset[Need] = frozenset(("writes",))

LAWS = (
    Law("wire.reads", "What can be read is answered as declared, and so is what cannot", "/paths", NOTHING, reading.reads),
    Law("wire.parameters", "Of what can be read, valid parameters are taken and invalid ones refused",
        INVALID, NOTHING, reading.parameters),
    Law("wire.headers", "Every answer is traceable, and none is left to shared caches",
        "/components/headers/X-Request-Id", NOTHING, headers.headers),
    Law("wire.paths", "Ids and paths of other shapes are refused, and nothing worse",
        "/components/schemas/Identifier", NOTHING, routes.paths),
    Law("wire.responses", "Every operation answers as declared, when it succeeds and when it refuses",
        "/paths", WRITES, bodies.responses),
    Law("wire.accepts-valid", "What the bundle allows to be sent is taken",
        "/components/schemas", WRITES, bodies.accepts_valid),
    Law("wire.refuses-invalid", "What the bundle does not allow is refused, and told as invalid",
        INVALID, WRITES, bodies.refuses_invalid),
    Law("wire.media-types", "A body is read if it is declared as JSON, and only then",
        "/components/responses/UnsupportedMediaType", WRITES, encodings.media_types),
    Law("wire.encodings", "What is not JSON is refused; what is, comes back as it was sent",
        INVALID, WRITES, encodings.encodings),
    Law("wire.too-large", "A body above its operation's limit is refused as too large",
        "/components/responses/TooLarge", WRITES, beyond.too_large),
    Law("wire.correlation", "What cannot be echoed as a request id is refused",
        "/components/parameters/CorrelationId", WRITES, beyond.untraceable),
    Law("wire.methods", "Methods that a path does not declare are refused, with those that it does",
        "/components/responses/MethodNotAllowed", WRITES, routes.methods),
    Law("wire.retry-after", "A refusal for want of quota says how long to wait where waiting helps",
        "/components/headers/Retry-After", WRITES | {"operator"}, headers.retry_after),
    Law("wire.framing", "However a message is framed or broken, it is answered or refused, and so is the next one",
        "RFC 9112", WRITES, framing.framing),
)  # fmt: skip
