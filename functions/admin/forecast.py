"""The route of the forecast."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from connector.admin import forecast as use_cases
from connector.admin.forecast import Forecast, Question
from functions.admin.admin_app import ADMIN
from functions.admin.request import new_router
from functions.admin.responses import responses

router = new_router()

People = Annotated[int | None, Query(ge=0, le=1_000_000_000)]
"""Some people of a first synchronization."""


@router.get(
    "/admin/forecast",
    summary="Get the forecast",
    responses=responses(200, "The calls a day, by cause and against the limits."),
    tags=["status"],
)
def forecast(
    calls_per_second: Annotated[
        float | None, Query(ge=0, le=1000, description="Another pace of calls to Plezi.")
    ] = None,
    api_share: Annotated[
        float | None, Query(gt=0, le=1, description="Another share of the calls of the org.")
    ] = None,
    people_share: Annotated[
        float | None,
        Query(ge=0, le=1, description="The fraction of the people that a filter would let in."),
    ] = None,
    to_plezi: People = None,
    to_salesforce: People = None,
) -> Forecast:
    """Return API calls a day by cause against the limits, and what a first synchronization takes.

    It is computed from the runs of the last week; neither system is called. `to_plezi` and
    `to_salesforce` are the people of a first synchronization who are in the other system only, in
    place of those that the newest preview of all people found.
    """
    return use_cases.show_forecast(
        ADMIN.get(), Question(calls_per_second, api_share, people_share, to_plezi, to_salesforce)
    )
