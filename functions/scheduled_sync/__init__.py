"""The function of the schedule."""
