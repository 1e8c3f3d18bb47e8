"""Webhooks: how providers sign them."""
