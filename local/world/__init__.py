"""The simulated stack in one process: both systems, their users, a clock, faults, the connector."""
