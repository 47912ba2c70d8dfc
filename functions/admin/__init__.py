"""The function of the admin API."""
