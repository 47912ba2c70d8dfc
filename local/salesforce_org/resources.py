"""Small resources: versions, directory, limits and queries."""

from __future__ import annotations

from local.salesforce_org.errors import FORBIDDEN, RefusedError
from local.salesforce_org.exchange import ApiCall, ApiResponse, api_response
from local.salesforce_org.queries import MAX_PAGE_ROWS, MIN_PAGE_ROWS, QueryRequest
from local.salesforce_org.state import OrgState

OLDEST_VERSION, NEWEST_VERSION = 31, 68
SEASONS = ("Winter", "Spring", "Summer")
WINTER_15 = 32  # API 32.0 was Winter '15


def versions() -> ApiResponse:
    """`GET /services/data`: the available versions, oldest first; without login."""
    listing = []
    for number in range(OLDEST_VERSION, NEWEST_VERSION + 1):
        steps = number - WINTER_15
        season, year = SEASONS[steps % len(SEASONS)], 15 + steps // len(SEASONS)
        listing.append(
            {
                "label": f"{season} '{year}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
        )
    return api_response(listing)


def directory(state: OrgState, call: ApiCall) -> ApiResponse:
    """`GET /services/data/v{n}`: the resources of one version, and the caller's identity.

    `identity` is an address of the login host (recorded from a real org).
    """
    base = f"/services/data/v{call.version}"
    names = ("sobjects", "query", "queryAll", "composite", "limits", "tooling")
    identity = f"https://login.salesforce.com/id/{state.org_id}/{call.user.id}"
    return api_response({name: f"{base}/{name}" for name in names} | {"identity": identity})


def limits(state: OrgState, call: ApiCall) -> ApiResponse:
    """`GET /limits`: needs "View Setup and Configuration"."""
    if not call.user.view_setup:
        message = "You do not have the level of access necessary to perform the operation"
        raise RefusedError("INSUFFICIENT_ACCESS", message, fields=None, status=FORBIDDEN)
    maximum = state.quota.maximum
    remaining = max(0, maximum - state.quota.used(state.now()))
    unused_limits = {
        "DailyBulkApiBatches": 15_000,
        "DailyBulkV2QueryJobs": 10_000,
        "DailyBulkV2QueryFileStorageMB": 976_562,
        "DataStorageMB": 10_240,
        "FileStorageMB": 10_240,
        "SingleEmail": 5_000,
    }
    body = {"DailyApiRequests": {"Max": maximum, "Remaining": remaining}}
    body |= {
        name: {"Max": maximum, "Remaining": maximum} for name, maximum in unused_limits.items()
    }
    return api_response(body)


def query(
    state: OrgState,
    call: ApiCall,
    *,
    include_deleted: bool = False,
    tooling: bool = False,
    page: int | None = None,
) -> ApiResponse:
    """`GET /query?q=`, `/queryAll?q=` and `/tooling/query?q=`; `page` is a fault's page size.

    `&columns=true` describes the columns of the query, and returns no row (client source: the `sf`
    command line).
    """
    soql = call.argument("q")
    if soql is None:
        raise RefusedError("MALFORMED_QUERY", "A query string has to be specified", fields=None)
    request = QueryRequest(
        call.user.id,
        state.security.access_of(call.user),
        state.now(),
        call.version,
        page or _page_size(call),
        include_deleted,
        tooling,
    )
    if (call.argument("columns") or "").lower() == "true":
        return api_response(state.queries.columns(soql, request))
    text, call.records = state.queries.run(soql, request)
    return ApiResponse(200, text)


def query_more(state: OrgState, call: ApiCall, locator: str) -> ApiResponse:
    """`GET /query/{locator}`."""
    text, call.records = state.queries.next_page(locator, call.user.id, state.now(), call.version)
    return ApiResponse(200, text)


def _page_size(call: ApiCall) -> int:
    header = call.headers.get("Sforce-Query-Options", "")
    name, _, value = header.replace(" ", "").partition("=")
    if name.lower() == "batchsize" and value.isdigit():
        return min(MAX_PAGE_ROWS, max(MIN_PAGE_ROWS, int(value)))
    return MAX_PAGE_ROWS
