"""The routes of the probe of the Plezi tenant."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from connector.admin.plezi_probe import last_probe, probe_plezi
from connector.probe_report import ProbeReport
from functions.admin.admin_app import ADMIN
from functions.admin.request import caller, new_router
from functions.admin.responses import responses

router = new_router()


class ProbeRequest(BaseModel):
    """The e-mail of a throwaway contact; without one, the probe only reads.

    `throwaway` states that the contact may exist already, and may be overwritten.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact: str = ""
    throwaway: bool = False


READ_ONLY = ProbeRequest()


@router.post(
    "/admin/plezi/probe",
    summary="Probe the Plezi tenant",
    responses=responses(200, "What is known so far; repeat the call while it runs.", 409, 502),
    tags=["setup"],
)
def probe(request: Annotated[ProbeRequest, Body()] = READ_ONLY) -> ProbeReport:
    """Ask the tenant what its API is like; the dialect that is found is used from then on."""
    event = router.current_event.raw_event
    return probe_plezi(
        ADMIN.get(), caller(event), contact=request.contact, throwaway=request.throwaway
    )


@router.get(
    "/admin/plezi/probe",
    summary="Get the last probe",
    responses=responses(200, "The findings of the last probe.", 404),
    tags=["setup"],
)
def show() -> ProbeReport:
    """Return the report of the last probe of the Plezi tenant."""
    return last_probe(ADMIN.get())
