"""A simulated Salesforce org: one WSGI application, to the contract of docs/simulators."""

from local.salesforce_org.application import SalesforceOrg

__all__ = ["SalesforceOrg"]
