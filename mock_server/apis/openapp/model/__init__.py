"""OpenApp's domain logic: pure functions from a state and a command to a new state or a refusal."""
