"""How commands print: tables, times, values, progress."""
