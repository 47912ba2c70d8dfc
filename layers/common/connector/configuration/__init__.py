"""The mapping's versions in DynamoDB; the one shipped until somebody saves another."""

from connector.configuration.document import from_document, mapping_of_draft, to_document
from connector.configuration.dynamo import DynamoConfiguration, SavedMapping
from connector.configuration.sheet import from_yaml, to_yaml

__all__ = [
    "DynamoConfiguration",
    "SavedMapping",
    "from_document",
    "from_yaml",
    "mapping_of_draft",
    "to_document",
    "to_yaml",
]
