"""The sentence: observe, merge, intend, apply, record; and the ports that it needs."""
