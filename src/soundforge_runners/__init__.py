"""Programs that run as children of the studio, one module each, started as ``python -m soundforge_runners.<name>``.

They share nothing with the application but JSON lines (``_protocol``), so that each may live in an environment, or
under an interpreter, of its own.
"""
