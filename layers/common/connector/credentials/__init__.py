"""The rotation of credentials: a new version of a secret is tested, promoted, and used by a run."""
