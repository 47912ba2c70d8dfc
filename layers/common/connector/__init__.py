"""Two-way synchronisation between Plezi and Salesforce: observe, merge, intend, apply, record."""
