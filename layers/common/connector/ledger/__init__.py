"""The ledger in DynamoDB: links as three compact trees, cursors, runs, the breaker, guards."""

from connector.ledger.dynamo import DynamoLedger
from connector.ledger.guards import DynamoGuards

__all__ = ["DynamoGuards", "DynamoLedger"]
