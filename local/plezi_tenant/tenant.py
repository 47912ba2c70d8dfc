"""The tenant as one WSGI application: its API, its control routes and its web interface."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from local.control import ControlPanel, SimulatedClock
from local.plezi_tenant import api
from local.plezi_tenant import control_panel as panel
from local.plezi_tenant.contact_repository import ContactRepository
from local.plezi_tenant.fault_injection import KINDS, Sleep
from local.plezi_tenant.page import WebInterface
from local.plezi_tenant.webhooks import Deliver, Webhooks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class PleziTenant:
    """A simulated Plezi tenant, a WSGI callable.

    The same clock and seed give the same history. `deliver` replaces the network for webhooks and
    is then called synchronously. `sleep` waits during a slow response; the default advances the
    clock.
    """

    def __init__(
        self,
        clock: SimulatedClock | None = None,
        seed: int = 0,
        *,
        deliver: Deliver | None = None,
        sleep: Sleep | None = None,
    ) -> None:
        self.clock = clock if clock is not None else SimulatedClock()
        self.control = ControlPanel(self.clock, KINDS)
        self.contacts = ContactRepository(self.clock, seed)
        self.webhooks = Webhooks(self.clock, seed, deliver)
        self._api = api.Api(self.contacts, self.control, self.webhooks.publish)
        if sleep is not None:
            self._api.sleep = sleep
        self._control_panel = panel.TenantControlPanel(
            self.contacts, self._api, self.webhooks, self.control
        )
        self._page = WebInterface(self.contacts, self._api)

    @property
    def api_key(self) -> str:
        """The required value of the header `X-API-Key`."""
        return self._api.api_key

    @property
    def tenant_name(self) -> str:
        """The required value of the header `X-Tenant-Company`."""
        return self._api.tenant_name

    @property
    def public_url(self) -> str:
        """The base of the `url` of a contact; set it to the address of the web interface."""
        return self._api.public_url

    @public_url.setter
    def public_url(self, url: str) -> None:
        self._api.public_url = url.rstrip("/")

    def set_switches(self, **switches: Any) -> None:  # noqa: ANN401  # one keyword for each switch
        """Change switches, as `POST /_sim/switches` does."""
        self.contacts.set_switches(switches)

    def load(self, contacts: int, first: int = 0, spread_seconds: float = 0) -> int:
        """Load sample contacts, as `POST /_sim/load` does."""
        return self.contacts.load(contacts, first, spread_seconds)

    def reset(self) -> None:
        """Restore an empty tenant, as `POST /_sim/reset` does."""
        self._control_panel.reset()

    def close(self) -> None:
        """Wait for the deliveries in progress and free the memory."""
        self.webhooks.wait_until_delivered()
        self.contacts.close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        request = Request(environ)
        response = self._handle(request)
        # A server with a clock sends `Date` in every response (RFC 9110, section 6.6.1).
        response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        return response(environ, start_response)

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(panel.PREFIX):
            return self._control_panel.handle(request)
        if request.path.startswith(api.PREFIX + "/"):
            return self._api.handle(request)
        return self._page.handle(request)
