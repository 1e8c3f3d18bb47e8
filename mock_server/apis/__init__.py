"""The emulated APIs, one folder each, all of the same shape. No API imports another."""
