"""The engine's door for forms."""
