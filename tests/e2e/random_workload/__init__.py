"""A random workload on the deployed stack, and what became of each typed value."""
