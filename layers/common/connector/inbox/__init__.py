"""Our queues, and what may enter them: runs in order, hints from forms in a lane of their own."""

from connector.inbox.door import FormDoor
from connector.inbox.forms import Delivery, FormsInbox, parse_hints
from connector.inbox.knocks import FormRefusedError, Knock, parse_knock
from connector.inbox.lane import FormLane
from connector.inbox.runs import RunRequest, RunsInbox, parse_runs

__all__ = [
    "Delivery",
    "FormDoor",
    "FormLane",
    "FormRefusedError",
    "FormsInbox",
    "Knock",
    "RunRequest",
    "RunsInbox",
    "parse_hints",
    "parse_knock",
    "parse_runs",
]
