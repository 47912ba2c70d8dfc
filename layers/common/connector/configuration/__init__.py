"""The mapping's versions in DynamoDB; the one shipped until somebody saves another."""

from connector.configuration.dynamo import DynamoConfiguration

__all__ = ["DynamoConfiguration"]
