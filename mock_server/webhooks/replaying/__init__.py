"""Sending captured webhooks again: as they came or re-signed, at another pace, in another order, doubled, lost or damaged."""
