"""The function that requests a run on demand."""
