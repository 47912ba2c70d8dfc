"""The function that works on runs."""
