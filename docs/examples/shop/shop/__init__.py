"""A small shop that sells plans: an example of an application and of its tests with mockbill's fixtures."""
