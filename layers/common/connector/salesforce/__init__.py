"""Salesforce, in the engine's words. The only package that knows `simple_salesforce`."""
