"""The door that forms knock at."""
