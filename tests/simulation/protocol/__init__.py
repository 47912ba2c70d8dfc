"""A model of the write protocol for one field of one link, checked in every reachable state."""
