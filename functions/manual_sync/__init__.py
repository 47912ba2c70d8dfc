"""The door that asks for a run, now."""
