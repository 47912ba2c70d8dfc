"""The mapping's versions in DynamoDB; the one shipped until somebody saves another."""

from connector.configuration.document import mapping_of_draft
from connector.configuration.dynamo import DynamoConfiguration, SavedMapping

__all__ = ["DynamoConfiguration", "SavedMapping", "mapping_of_draft"]
