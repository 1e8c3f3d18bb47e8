"""What laws know of OpenApp beyond its bundle: how its requests are made, and what it leaves to an implementation."""
