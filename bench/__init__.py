"""Benchmarks: programs for developers, not part of the product."""
