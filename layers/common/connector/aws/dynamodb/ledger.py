"""The ledger's table: conditional puts in transactions of 100, reads in batches of 100.

| key | holds |
| --- | --- |
| `contact#<email>` | a link; in the index `work` while dirty, in `attention` while it waits |
| `record#<id>` | the e-mail of the link that a record belongs to |
| `cursor#<kind>`, `run#<id>`, `state#<name>` | cursors, runs, switch, breaker, session, describes |
"""

from __future__ import annotations

from connector.aws.dynamodb.control_state import ControlStateTable
from connector.aws.dynamodb.links import LinkTable
from connector.aws.dynamodb.runs_and_cursors import RunAndCursorTable


class DynamoLedger(LinkTable, RunAndCursorTable, ControlStateTable):
    """The engine's ledger, the Salesforce gate and the store of documents, in one table."""
