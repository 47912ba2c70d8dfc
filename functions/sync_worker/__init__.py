"""The engine's door."""
