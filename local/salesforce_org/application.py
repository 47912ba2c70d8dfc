"""The org as one WSGI application: logins, REST API, web interface and `/_sim/`."""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from local.control import ControlPanel, Fault, SimulatedClock, json_response
from local.salesforce_org import oauth, samples, soap
from local.salesforce_org.access_check import check_access
from local.salesforce_org.call_counts import LOGIN, OrgCallCounter
from local.salesforce_org.certificates import JwtKeyPair, jwt_key_pair
from local.salesforce_org.control_routes import ControlRoutes
from local.salesforce_org.errors import (
    HtmlPageError,
    OAuthRefusedError,
    RefusedError,
    SoapFaultError,
    not_found,
)
from local.salesforce_org.exchange import ApiCall, error_body, to_json
from local.salesforce_org.fault_kinds import KINDS, inject_before
from local.salesforce_org.page import WebInterface
from local.salesforce_org.resources import versions
from local.salesforce_org.rest_api import RestApi
from local.salesforce_org.security import OrgUser
from local.salesforce_org.seed_data import seed
from local.salesforce_org.state import OrgState
from local.serving import ConnectionDroppedError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DEFAULT_INSTANCE = "https://acme.my.salesforce.com"
JSON = "application/json;charset=UTF-8"
SERVICES = "/services/data/v"
MAX_URI_BYTES = 16_384  # of the URI, and of the URI together with the headers
MIN_GZIP_BYTES = 1024
HEADERS = {  # recorded on every response
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "none",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
    "Vary": "Accept-Encoding",
}

LEAD_ROW: Final = re.compile(r'"Id":"(00Q\w{15})"[^{}]*?"SystemModstamp"')
"""The row of a Lead that was read with its time, as an integration reads it and a user does not."""


class SalesforceOrg:
    """A simulated Salesforce org, as strict as a real org wherever its behaviour is known.

    The same seed gives the same ids. A login returns `instance_url` as the host to call.
    """

    consumer_key = "3MVG9simulatedPleziConnectorConsumerKey"
    consumer_secret = "5IMULATEDC0NSUMERSECRET"

    def __init__(
        self,
        clock: SimulatedClock | None = None,
        seed: int = 0,
        instance_url: str | None = None,
    ) -> None:
        self.clock = clock or SimulatedClock()
        self.seed = seed
        self.instance_url = (instance_url or DEFAULT_INSTANCE).rstrip("/")
        self.control = ControlPanel(self.clock, KINDS)
        self.calls = OrgCallCounter()
        self.control.calls = self.calls
        self.state = OrgState(self.clock, seed)
        self._uses_jwt = False
        self._lock = threading.RLock()  # belongs to the org: a reset replaces the state only
        self._fill()

    def reset(self) -> None:
        """Restore a new org; remove faults and counts too."""
        with self._lock:
            self.state.store.close()
            self.state = OrgState(self.clock, self.seed)
            self._fill()

    def _fill(self) -> None:
        seed(self.state)
        if self._uses_jwt:
            self.state.jwt_certificates.append(jwt_key_pair().certificate)
        self.control.faults.clear()
        self.calls.mark()
        self._api = RestApi(self.state, self.control.faults)
        self._app = oauth.ConnectedApp(self.consumer_key, self.consumer_secret)
        self._control_routes = ControlRoutes(self.state, self.reset)
        self._page = WebInterface(self.state, self.sales_user)

    def close(self) -> None:
        """Free the memory."""
        self.state.store.close()

    def load(
        self, *, leads: int = 0, contacts: int = 0, first: int = 0, spread_seconds: float = 0
    ) -> None:
        """Add sample leads and contacts, as `POST /_sim/load` does."""
        with self._lock:
            samples.load(
                self.state,
                self.sales_user,
                leads=leads,
                contacts=contacts,
                first=first,
                spread=spread_seconds,
            )

    @property
    def integration_user(self) -> OrgUser:
        """The user of the connector."""
        return self.state.users["integration@acme.example"]

    @property
    def sales_user(self) -> OrgUser:
        """A sales user without special rights; the author of edits by the control API."""
        return self.state.users["sales@acme.example"]

    @property
    def jwt(self) -> JwtKeyPair:
        """The key pair of the JWT flow; the first access registers its certificate with the app."""
        pair = jwt_key_pair()
        self._uses_jwt = True
        if pair.certificate not in self.state.jwt_certificates:
            self.state.jwt_certificates.append(pair.certificate)
        return pair

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        request = Request(with_one_slash(environ))
        if request.path.startswith("/_sim/"):
            response = self._control(request)
        elif _host(request).endswith(".lightning.force.com"):  # a host for browsers, never JSON
            response = _html(200, HtmlPageError(200, "Salesforce Login").html())
        elif not request.path.startswith(("/services/", "/id/")):
            with self._lock:
                response = self._page.handle(request)
        else:
            response = self._call_api(request)
        return response(environ, start_response)

    def _control(self, request: Request) -> Response:
        try:
            with self._lock:
                response = self._control_routes.handle(request)
            if response is None:
                response = self.control.handle(request)
        except RefusedError as refused:
            return json_response({"error": refused.single_body()}, refused.status)
        except HTTPException as refused:
            return json_response({"error": refused.description}, refused.code or 400)
        return response or json_response({"error": f"no route {request.path}"}, 404)

    def _call_api(self, request: Request) -> Response:
        """Handle a call of the simulated API, with the injected faults."""
        faults, path = self.control.faults, request.path
        try:
            inject_before(faults, self.clock, request.method, path)
            with self._lock:
                self.state.transactions.apply_due(self.state.now())
                response = self._dispatch(request)
        except RefusedError as refused:
            response = _error_response(refused, request.get_data())
        except OAuthRefusedError as refused:
            body = {"error": refused.error, "error_description": refused.description}
            response = _json(to_json(body), refused.status, {"Cache-Control": "no-store"})
        except SoapFaultError as fault:
            response = Response(soap.fault(fault), 500, content_type="text/xml; charset=utf-8")
        except HtmlPageError as page:
            response = _html(page.status, page.html())
        with self._lock:
            self._add_headers(request, response)
        self._compress(request, response)
        after = faults.take(
            request.method, path, "reset_after_commit", "timeout_after_commit", "truncated_body"
        )
        return self._damage(response, after) if after else response

    def _dispatch(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        if path == "/services/oauth2/token":
            return self._token(request)
        if path.startswith("/services/Soap/u/"):
            return self._soap_login(request)
        if path == "/services/data":
            return _json(versions().body)
        if path.startswith(SERVICES):
            return self._data(request)
        if path == "/services/oauth2/revoke":
            return self._revoke(request)
        if path == "/services/oauth2/userinfo" or path.startswith("/id/"):
            return self._identity(request)
        raise not_found()

    def _token(self, request: Request) -> Response:
        self.calls.count(LOGIN)
        if request.method != "POST":
            raise OAuthRefusedError("invalid_request", "must use HTTP POST")
        form = dict(request.form.items())
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            form.setdefault("client_id", str(basic.username))
            form.setdefault("client_secret", str(basic.password))
        fault = self.control.faults.take(request.method, request.path, "instance_change")
        if fault is not None:
            self.instance_url = str(fault.parameters["instance_url"]).rstrip("/")
        token_response = oauth.grant(self.state, self._app, form, _host(request), self.instance_url)
        return _json(to_json(token_response), 200, {"Cache-Control": "no-store"})

    def _soap_login(self, request: Request) -> Response:
        self.calls.count(LOGIN)
        version = request.path.rstrip("/").split("/")[4]
        envelope = soap.handle_login(
            self.state, version, request.get_data(), _host(request), self.instance_url
        )
        return Response(envelope, content_type="text/xml; charset=utf-8")

    def _revoke(self, request: Request) -> Response:
        oauth.revoke(self.state, request.values.get("token", ""))
        return Response(status=200)

    def _identity(self, request: Request) -> Response:
        token = request.headers.get("Authorization", "").partition(" ")[2]
        idle = self.state.switches.session_timeout_seconds
        session = self.state.sessions.use(token, self.state.now(), idle)
        user = self.state.user_of_id(session.user_id) if session else None
        if user is None:
            return Response("Bad_OAuth_Token", 403, content_type="text/html; charset=utf-8")
        return _json(to_json(oauth.identity(self.state, user, self.instance_url)))

    def _data(self, request: Request) -> Response:
        target = _raw_target(request)
        _check_size(request, target)
        state = self.state
        version, _, rest = urlsplit(target).path.removeprefix(SERVICES).partition("/")
        user = check_access(state, request, version)
        state.quota.count(state.now())
        method = request.args.get("_HttpMethod", request.method).upper()
        call = ApiCall(
            method,
            "/" + rest,
            version,
            user,
            dict(parse_qsl(urlsplit(target).query, keep_blank_values=True)),
            request.headers,
            request.get_data(),
        )
        try:
            response = self._api.dispatch(call)
        finally:
            self.calls.count_call(call.kind or "refused", call.records, writes=call.writes)
        if response.body:
            self.control.readings.note(response.body, LEAD_ROW)
        return _json(response.body, response.status, response.headers)

    def _add_headers(self, request: Request, response: Response) -> None:
        """Add the headers of every response."""
        state = self.state
        now = state.now()
        skew = self.control.faults.take(request.method, request.path, "clock_skew")
        server_time = (
            now + timedelta(seconds=float(skew.parameters.get("seconds", 0))) if skew else now
        )
        response.headers["Date"] = format_datetime(server_time, usegmt=True)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith(SERVICES):
            usage = f"api-usage={state.quota.used(now)}/{state.quota.maximum}"
            response.headers["Sforce-Limit-Info"] = usage

    def _compress(self, request: Request, response: Response) -> None:
        """Compress the body if the caller accepts it; this runs without the lock."""
        body = response.get_data()
        accepted = "gzip" in request.headers.get("Accept-Encoding", "")
        if accepted and self.state.switches.gzip and len(body) >= MIN_GZIP_BYTES:
            response.set_data(gzip.compress(body, 1, mtime=0))
            response.headers["Content-Encoding"] = "gzip"

    @staticmethod
    def _damage(response: Response, fault: Fault) -> Response:
        """Apply a fault to a response; the writes of the call stay saved."""
        if fault.kind == "truncated_body":
            body = response.get_data()
            response.response = _truncated(body)
            response.headers["Content-Length"] = str(len(body))
            return response
        if fault.kind == "timeout_after_commit":
            time.sleep(float(fault.parameters.get("seconds", 0)))
        raise ConnectionDroppedError(fault.kind)


def _truncated(body: bytes) -> Iterator[bytes]:
    """Yield half of a body, then close the connection."""
    yield body[: len(body) // 2]
    raise ConnectionDroppedError("truncated_body")


def with_one_slash(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return the request with one slash at the beginning of its path, where it has several.

    Real orgs accept `//services/data` (recorded from a real org); the `sf` command line sends it.
    """
    target = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    if not (target or str(environ.get("PATH_INFO", ""))).startswith("//"):
        return environ
    single = "/" + (target or str(environ["PATH_INFO"])).lstrip("/")
    path = unquote(single.partition("?")[0]) if target else single
    targets = {"REQUEST_URI": single, "RAW_URI": single} if target else {}
    return environ | targets | {"PATH_INFO": path}


def _host(request: Request) -> str:
    return request.host.partition(":")[0].lower()


def _raw_target(request: Request) -> str:
    """Return path and query as sent: an encoded slash must stay inside its segment."""
    raw = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or "")
    path = urlsplit(raw).path if raw else request.path
    query = str(request.environ.get("QUERY_STRING", ""))
    return f"{path}?{query}" if query else path


def _check_size(request: Request, target: str) -> None:
    """Refuse a URI, or a URI with its headers, of more than 16,384 bytes."""
    length = len(target)
    if length > MAX_URI_BYTES:
        raise RefusedError("URI_TOO_LONG", "URI Too Long", fields=None, status=414)
    length += sum(len(name) + len(value) for name, value in request.headers.items())
    if length > MAX_URI_BYTES:
        message = "Request Header Fields Too Large"
        raise RefusedError("HEADERS_TOO_LARGE", message, fields=None, status=431)


def _json(body: str | None, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    response = Response(body or b"", status, content_type=JSON)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def _html(status: int, page: str) -> Response:
    return Response(page, status, content_type="text/html; charset=UTF-8")


def _error_response(refused: RefusedError, body: bytes) -> Response:
    """Return the response of an error: an array of one object."""
    return _json(to_json([error_body(refused, body)]), refused.status)
