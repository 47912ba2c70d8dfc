"""A whole world in one process: both sides, people, a clock, bad luck, and the engine."""
