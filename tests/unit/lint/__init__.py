"""Tests of the testability lint."""
