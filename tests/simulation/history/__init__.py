"""Seeded random histories of the whole system, and the oracle that checks user edits."""
