"""Signature schemes, one file per provider. Each signs and verifies raw bytes, and imports nothing else of ours."""
