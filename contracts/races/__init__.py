"""Calls at the same time: how they are made, judged and shown."""
