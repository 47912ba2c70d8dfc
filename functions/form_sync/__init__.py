"""The function that receives forms."""
