"""What we did, field by field, and what administrators changed, in one DynamoDB table."""

from connector.journal.audit import AuditEntry, AuditPage, DynamoAudit, digest
from connector.journal.dynamo import DynamoJournal, Lines
from connector.journal.pages import place_of, token_of

__all__ = [
    "AuditEntry",
    "AuditPage",
    "DynamoAudit",
    "DynamoJournal",
    "Lines",
    "digest",
    "place_of",
    "token_of",
]
