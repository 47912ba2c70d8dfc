"""The role of the console: the use cases of the admin API, behind pages and a sign-in."""

from __future__ import annotations

from dataclasses import fields

from connector.bootstrap.admin import build_admin
from connector.bootstrap.runtime import Runtime
from connector.connection_settings import ConsoleSettings
from connector.console.application import Console
from connector.console.seals import Seals
from connector.console.session import Sessions
from connector.console.shown_settings import ShownSettings
from connector.console.sign_in import SignIn, UserPool


def build_console(settings: ConsoleSettings, runtime: Runtime) -> Console:
    """Build the console."""
    if runtime.web is None:
        raise ValueError("web: the console needs a session for the user pool, and tokens")
    seals = Seals(runtime.aws.console_keys(settings.console_secret), runtime.clock)
    pool = UserPool(
        pages=settings.sign_in_url,
        keys=settings.sign_in_keys_url,
        issuer=settings.sign_in_issuer,
        client_id=settings.sign_in_client_id,
        console=settings.console_url,
    )
    web = runtime.web
    shown = {each.name: getattr(settings, each.name) for each in fields(ShownSettings)}
    return Console(
        settings.console_url,
        build_admin(settings, runtime),
        runtime.aws.subscriptions(settings.alerts_topic),
        ShownSettings(**shown),
        seals,
        Sessions(seals, web.new_token, runtime.clock),
        SignIn(pool, seals, web.session, runtime.clock, web.new_token),
    )
