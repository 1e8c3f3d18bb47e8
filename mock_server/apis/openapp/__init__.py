"""OpenApp billing: plans, quotas, overrides, checkout, portal, degradation, provider webhooks."""
