"""Developer checks and document generators; nothing here is deployed."""
