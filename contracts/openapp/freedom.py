"""What an implementation of OpenApp may choose."""

from __future__ import annotations

from contracts.comparison import Freedom

FREEDOM = Freedom(
    ignored=frozenset(
        {
            "message",
            "correlationId",
            "correlation_id",
            "environment",
            "version",
            "base_url",
            "provider_type_name",
            "content",
            "translations",
            "city",
            "country",
            "formatted_address",
            "postal_code",
            "state_or_province",
            "geocoding_provider",
            "provider_place_id",
            "result",
            "error",
        }
    ),
    own=frozenset(
        {
            "id",
            "external_id",
            "subscription_id",
            "checkout_url",
            "url",
            "email",
            "token",
            "token_suffix",
            "purge_id",
            "execution_id",
        }
    ),
    moments=frozenset(
        {
            "created_at",
            "updated_at",
            "deleted_at",
            "purge_at",
            "expires_at",
            "period_start",
            "period_end",
            "resets_at",
            "over_capacity_since",
            "flagged_at",
            "marked_at",
            "executed_at",
            "started_at",
            "completed_at",
            "last_used_at",
            "revoked_at",
        }
    ),
    unordered=frozenset({"flagged", "overages", "overrides"}),
    rough={"degradation_level": 0.001, "delay_ms": 1},
    loose={
        "details": frozenset({"key", "period", "period_label", "current", "limit", "requested", "resets_at", "source"})
    },
)
