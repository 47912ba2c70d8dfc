"""Benchmarks of the connector and a peer: `python -m benchmarks`."""
