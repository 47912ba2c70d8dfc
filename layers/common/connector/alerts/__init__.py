"""Alerts to people, through SNS."""

from connector.alerts.recipients import SnsRecipients
from connector.alerts.sns import SnsAlerts

__all__ = ["SnsAlerts", "SnsRecipients"]
