"""Alerts to people, through SNS."""

from connector.alerts.sns import SnsAlerts

__all__ = ["SnsAlerts"]
