"""Mutants: the reference server with one fault each. A contract suite that is worth running tells every one of them apart.

    python -m contracts.mutants quota-plus-one --port 0

serves one of them; `none` is the server without any fault.
"""
