"""Measures of the connector beside a peer: `python -m benchmarks`."""
