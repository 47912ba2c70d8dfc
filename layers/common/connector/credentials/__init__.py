"""credentials_."""
