"""A gateway to the DynamoDB of the embedded AWS: enforces DynamoDB's limits, injects its faults."""

from local.dynamodb_gateway.application import Gateway

__all__ = ["Gateway"]
