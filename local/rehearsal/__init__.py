"""A rehearsal: the real engine for days of virtual time, with real sizes, limits and prices."""
