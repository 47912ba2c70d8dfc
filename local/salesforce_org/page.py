"""The page of a person: see records, edit one."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from local.salesforce_org.state import OrgState


class Page:
    """Answers everything that is neither the API nor a control route."""

    def __init__(self, state: OrgState) -> None:
        self._state = state

    def answer(self, request: Request) -> Response:
        """Answer one request of a browser."""
        return Response(f"{request.path} {self._state.org_id}", 404)
