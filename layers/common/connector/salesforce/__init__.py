"""The Salesforce adapter: the only package that imports `simple_salesforce`."""
