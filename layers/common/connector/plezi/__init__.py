"""The Plezi adapter. Every assumption about the API is in one setting, `PleziDialect`."""
