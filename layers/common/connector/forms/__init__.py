"""Forms: received and queued by one function, synchronized by another."""
