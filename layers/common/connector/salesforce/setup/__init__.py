"""The set-up of the org: required fields, their permissions, and the report."""
