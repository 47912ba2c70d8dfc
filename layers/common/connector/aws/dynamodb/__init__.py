"""Stores in DynamoDB tables."""
