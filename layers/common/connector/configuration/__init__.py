"""The mapping's versions in DynamoDB; the one shipped until somebody saves another."""

from connector.configuration.document import mapping_of_draft
from connector.configuration.dynamo import DynamoConfiguration

__all__ = ["DynamoConfiguration", "mapping_of_draft"]
