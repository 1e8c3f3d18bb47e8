"""What the control API refuses, beside what HTTP itself does."""

from __future__ import annotations

from mock_server.engine.problems import ProblemType

WORLD_EXISTS = ProblemType("world_exists", 409, "There is a world {world!r} already.")
TOO_MANY_WORLDS = ProblemType(
    "too_many_worlds", 409, "There are {most} worlds, and no more are kept. Delete one first."
)
DEFAULT_WORLD_STAYS = ProblemType(
    "default_world_stays", 409, "The world {world!r} cannot be deleted; reset it instead."
)
CLOCK_GOES_BACK = ProblemType(
    "clock_goes_back",
    409,
    "The world's time is {now}; it cannot go back to {wanted}. To go back, restore a snapshot that was taken then.",
)
TOO_MUCH_DUE = ProblemType("too_much_due", 409, "The clock cannot be moved that far at once: {reason}.")
NOTHING_DUE = ProblemType("nothing_due", 409, "Nothing will fall due in this world, so there is no next step.")
INVALID_SCENARIO = ProblemType("invalid_scenario", 400, "No world can be made of the scenario {scenario!r}: {reason}.")
INVALID_TIME = ProblemType("invalid_request", 400, "{field}: {reason}.")
UNKNOWN_API = ProblemType("unknown_api", 400, "The API {api!r} is not served here; there are: {apis}.")
NOT_METERED = ProblemType("not_metered", 400, "The API {api!r} has no metered quotas.")
INVALID_SETTINGS = ProblemType("invalid_settings", 400, "The settings do not fit: {reason}. There are: {known}.")
INVALID_STATE = ProblemType("invalid_state", 400, "The state cannot be put back: {reason}.")
INVALID_FAULT = ProblemType("invalid_fault", 400, "This is no fault that can act: {reason}.")
FAULT_EXISTS = ProblemType("fault_exists", 409, "The world {world!r} has a fault {fault!r} already.")
TOO_MANY_FAULTS = ProblemType("too_many_faults", 409, "The world {world!r} has {most} faults, and no more are kept.")
NO_SUCH_FAULT = ProblemType("not_found", 404, "The world {world!r} has no fault {fault!r}; there are: {there_are}.")
SNAPSHOT_EXISTS = ProblemType("snapshot_exists", 409, "The world {world!r} has a snapshot {snapshot!r} already.")
TOO_MANY_SNAPSHOTS = ProblemType(
    "too_many_snapshots", 409, "The world {world!r} has {most} snapshots, and no more are kept. Delete one first."
)
NO_SUCH_SNAPSHOT = ProblemType(
    "not_found", 404, "The world {world!r} has no snapshot {snapshot!r}; there are: {there_are}."
)
COMPARE_WITH_ONE = ProblemType(
    "invalid_request", 400, "Name what to compare with: another world (`with`) or a snapshot (`snapshot`), not both."
)
NO_SUCH_REQUEST = ProblemType(
    "not_found", 404, "The journal of {world!r} has no request {number}; it keeps {kept} of {answered}."
)
TOO_MANY_WAITING = ProblemType(
    "too_many_waiting", 409, "{most} requests wait for news already, and no more may. Try again later."
)
START_FORGOTTEN = ProblemType(
    "start_forgotten",
    409,
    "How the world was before request {number} is no longer known: too much has changed since. Take a newer slice.",
)
ENDPOINT_EXISTS = ProblemType(
    "endpoint_exists", 409, "The world {world!r} has a webhook endpoint {endpoint!r} already."
)
TOO_MANY_ENDPOINTS = ProblemType(
    "too_many_endpoints",
    409,
    "The world {world!r} has {most} webhook endpoints, and no more are kept. Remove one first.",
)
TOO_MANY_EMISSIONS = ProblemType(
    "too_many_endpoints",
    409,
    "The world {world!r} still owes something to {most} emissions, and no more are kept. Remove one by its name, such as"
    " emission-1, or let the clock move until they are delivered or given up.",
)
INVALID_ENDPOINT = ProblemType("invalid_endpoint", 400, "Webhooks cannot be sent so: {reason}.")
TOO_MUCH_AT_ONCE = ProblemType(
    "too_much_at_once", 409, "That would be more than {most} deliveries at once. Emit fewer, or to fewer endpoints."
)
UNKNOWN_EVENT = ProblemType("unknown_event", 400, "Nothing here is called {event!r}; there are: {topics}.")
NO_SUCH_ENDPOINT = ProblemType(
    "not_found", 404, "The world {world!r} has no webhook endpoint {endpoint!r}; there are: {there_are}."
)
NO_SUCH_DELIVERY = ProblemType("not_found", 404, "The world {world!r} knows no delivery {delivery!r} (any more).")
ENDPOINT_GONE = ProblemType(
    "endpoint_gone", 409, "The endpoint {endpoint!r} of {delivery!r} is gone, so it cannot be sent there again."
)
EMITTED_TO_BOTH = ProblemType(
    "invalid_request",
    400,
    "An emission goes to a URL (`to`) or to endpoints of the world; `{member}` does not fit that.",
)
NOTHING_TO_TELL = ProblemType(
    "nothing_to_tell", 409, "There is no organization {org!r} that {event!r} could be about. Name another with `org`."
)
