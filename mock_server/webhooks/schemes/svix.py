"""Svix: Standard Webhooks under `svix-id`, `svix-timestamp`, `svix-signature`; `webhook-*` is understood too."""

from .standard import StandardWebhooks

SCHEME = StandardWebhooks("svix", "Svix", prefix="svix-", prefixes=("webhook-",))
