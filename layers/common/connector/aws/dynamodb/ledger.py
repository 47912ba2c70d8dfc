"""All stores of the ledger's table in one class.

| key | item |
| --- | --- |
| `contact#<email>` | a link; in the index `work` while dirty and on no list |
| `work#<run>#<number>` | e-mails of links that a run must resolve; in the index `work` |
| `record#<id>` | the e-mail of the link that a record belongs to |
| `record#<e-mail>` | the e-mail of a link that waits for this one |
| `record#plezi:<e-mail>` | the e-mail of a link whose contact in Plezi still has this one |
| `cursor#<kind>`, `run#<id>` | the cursor of a kind of record, a run |
| `state#<name>` | start switch, breaker, session, descriptions of fields |
| `lock#login`, `calls#<hour>` | the login lock, the calls to Salesforce in an hour |
| `form_changes#<day>` | what forms cleared and overwrote in a day |
| `rate#plezi` | the next free slot of the rate that all functions share |
| `hint#<hash>` | an idempotency record of a form |
| `tombstone#<hash>` | a name of a person who was erased (`tombstones`) |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.aws.dynamodb.control_state import CallCounter, ControlState
from connector.aws.dynamodb.cursors import CursorStore
from connector.aws.dynamodb.links import LinkStore
from connector.aws.dynamodb.rate_bucket import RateBucket
from connector.aws.dynamodb.runs import RunStore
from connector.aws.dynamodb.sessions import SessionStore
from connector.aws.dynamodb.shared_documents import DocumentStore
from connector.aws.dynamodb.table import Table
from connector.aws.dynamodb.work_lists import WorkStore
from connector.parallel import Parallel, one_after_another

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from connector.retry import RetryPolicy


class DynamoLedger(
    LinkStore,
    WorkStore,
    CursorStore,
    RunStore,
    ControlState,
    CallCounter,
    SessionStore,
    RateBucket,
    DocumentStore,
):
    """Every store of the ledger's table, for a client that needs several of them."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        retry: RetryPolicy,
        parallel: Parallel = one_after_another,
    ) -> None:
        shared = Table(client, table, retry, parallel)
        LinkStore.__init__(self, shared)
        WorkStore.__init__(self, shared)
        CursorStore.__init__(self, shared)
        RunStore.__init__(self, shared)
        ControlState.__init__(self, shared)
        CallCounter.__init__(self, shared)
        SessionStore.__init__(self, shared)
        RateBucket.__init__(self, shared)
        DocumentStore.__init__(self, shared)
