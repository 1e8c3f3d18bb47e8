"""Slices of a world's journal as files: HAR, a shell script, a test module. Pure functions of a `Slice`."""
