"""The use cases of the admin API, and the ports that they need."""
