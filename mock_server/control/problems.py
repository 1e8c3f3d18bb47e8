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
    "The world's time is {now}; it cannot go back to {wanted}. Fork before you advance, or reset.",
)
TOO_MUCH_DUE = ProblemType("too_much_due", 409, "The clock cannot be moved that far at once: {reason}.")
NOTHING_DUE = ProblemType("nothing_due", 409, "Nothing will fall due in this world, so there is no next step.")
INVALID_SCENARIO = ProblemType("invalid_scenario", 400, "No world can be made of the scenario {scenario!r}: {reason}.")
INVALID_TIME = ProblemType("invalid_request", 400, "{field}: {reason}.")
UNKNOWN_API = ProblemType("unknown_api", 400, "The API {api!r} is not served here; there are: {apis}.")
NOT_METERED = ProblemType("not_metered", 400, "The API {api!r} has no metered quotas.")
INVALID_SETTINGS = ProblemType("invalid_settings", 400, "The settings do not fit: {reason}. There are: {known}.")
INVALID_STATE = ProblemType("invalid_state", 400, "The state cannot be put back: {reason}.")
