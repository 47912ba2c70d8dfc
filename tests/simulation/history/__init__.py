"""Seeded histories of the whole world, and the oracle that looks at what people typed."""
