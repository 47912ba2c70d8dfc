"""The ledger in DynamoDB: links as three compact trees, cursors, runs, the breaker."""

from connector.ledger.dynamo import DynamoLedger

__all__ = ["DynamoLedger"]
