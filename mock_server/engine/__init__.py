"""The pure kernel: values in, values out. No I/O, no framework, no wall clock, nothing else of ours."""
