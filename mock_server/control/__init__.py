"""The control API under /_mock: the hand on the mock."""
