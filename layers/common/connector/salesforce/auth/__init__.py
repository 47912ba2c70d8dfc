"""Login hosts, logins, shared sessions and the password of the integration user."""
