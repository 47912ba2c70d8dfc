"""The context that Lambda passes to a handler."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

REMAINING_MILLISECONDS = 60_000


class FakeLambdaContext(LambdaContext):
    """The context of an invocation; by default one minute remains."""

    def __init__(self, remaining_milliseconds: int = REMAINING_MILLISECONDS) -> None:
        self._remaining_milliseconds = remaining_milliseconds
        self._function_name = "function"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:function"
        self._aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # Powertools has it static
        """Return the remaining time in milliseconds."""
        return self._remaining_milliseconds
