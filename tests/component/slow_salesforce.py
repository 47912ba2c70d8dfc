"""A transport to the simulated org that takes the org's time, and gives up as a socket does."""

from __future__ import annotations

from typing import Any

import requests

from local.salesforce_org import SalesforceOrg
from local.serving import InProcessAdapter


class TimedAdapter(InProcessAdapter):
    """Passes requests to the org; a response later than the read time-out is a `ReadTimeout`.

    The time of a response is what a fault `slow` with `advance` takes on the org's clock.
    """

    def __init__(self, org: SalesforceOrg) -> None:
        super().__init__(org)
        self._org = org

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        started = self._org.clock.now()
        response = super().send(request, *args, **kwargs)
        taken = (self._org.clock.now() - started).total_seconds()
        timeout = kwargs["timeout"]
        read_seconds = timeout[1] if isinstance(timeout, tuple) else timeout
        if taken > read_seconds:
            raise requests.ReadTimeout(f"no response after {read_seconds} s", request=request)
        return response
