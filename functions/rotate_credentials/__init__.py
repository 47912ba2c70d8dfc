"""The function that tests and promotes new credentials."""
