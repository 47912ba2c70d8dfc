"""Synchronization: read, match, merge, plan, intend, apply, record; and the ports that it needs."""
