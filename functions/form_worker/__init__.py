"""The function that synchronizes the contacts of submitted forms."""
