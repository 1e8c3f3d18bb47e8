"""The contract harness: laws that any implementation of a bundle must keep. Comes with a later release."""
