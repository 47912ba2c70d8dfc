"""The console: pages for marketers and sales operations, on the use cases of the admin API."""
