"""A simulated Salesforce org, one WSGI application; its contract is `docs/simulators`."""

from local.salesforce_org.application import SalesforceOrg

__all__ = ["SalesforceOrg"]
