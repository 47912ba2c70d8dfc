"""A random workload on the deployed stack, and the judge of what became of each typed value."""
