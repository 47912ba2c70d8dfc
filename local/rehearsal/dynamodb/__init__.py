"""DynamoDB in memory with its documented limits, fast enough for millions of calls."""

from local.rehearsal.dynamodb.client import MemoryDynamoDB
from local.rehearsal.dynamodb.database import Database

__all__ = ["Database", "MemoryDynamoDB"]
