"""A server between a provider and an application: every request is kept in a file, and then passed on as it came."""
