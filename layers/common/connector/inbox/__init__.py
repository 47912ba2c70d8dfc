"""Our queues: requests to work on a run, in order, and the events that bring them back."""

from connector.inbox.runs import RunRequest, RunsInbox, parse_runs

__all__ = ["RunRequest", "RunsInbox", "parse_runs"]
