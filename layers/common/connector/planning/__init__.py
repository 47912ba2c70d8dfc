"""Decisions about links: participants, field merge, plan, recovery, outcome. Pure functions."""
