"""Captures out of what other tools keep: HAR files, `curl` commands, Stripe's event JSON. Nothing is sent or executed."""
