"""The journal in DynamoDB: what was done, kept, held or lost, field by field, for one year."""

from connector.journal.dynamo import DynamoJournal

__all__ = ["DynamoJournal"]
