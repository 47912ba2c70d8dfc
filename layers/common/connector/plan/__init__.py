"""The decisions about one link, as data: what was seen, what to do, what became of it. Pure."""

from connector.plan.attention import choose, retry, survive
from connector.plan.emptying import empties
from connector.plan.folding import doubtful, fold, forget, refreshed
from connector.plan.judging import Judgement, judge
from connector.plan.planning import Lost, Plan, plan
from connector.plan.recording import Outcome, Result, record

__all__ = [
    "Judgement",
    "Lost",
    "Outcome",
    "Plan",
    "Result",
    "choose",
    "doubtful",
    "empties",
    "fold",
    "forget",
    "judge",
    "plan",
    "record",
    "refreshed",
    "retry",
    "survive",
]
