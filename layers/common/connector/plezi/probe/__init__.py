"""The probe: asks one tenant what its API is like, and proves or contradicts each assumption."""
