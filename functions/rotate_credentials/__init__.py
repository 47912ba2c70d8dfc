"""The door for new credentials."""
