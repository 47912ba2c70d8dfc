"""Adapters for AWS: DynamoDB, SQS, Secrets Manager, SNS."""
