"""The operator's command line, for a stack on AWS and for the local stack."""

__version__ = "0.2.0"
