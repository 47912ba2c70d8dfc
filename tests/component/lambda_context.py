"""What Lambda passes to a handler about an invocation."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

REMAINING_MILLISECONDS = 60_000


class FakeLambdaContext(LambdaContext):
    """The context of an invocation with a minute left."""

    def __init__(self) -> None:
        self._function_name = "function"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:function"
        self._aws_request_id = "00000000-0000-4000-8000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return the time left."""
        return REMAINING_MILLISECONDS
