"""The function that shows the console."""
