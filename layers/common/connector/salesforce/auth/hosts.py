"""The login host of an account URL, and the hosts that may receive a password or a session.

Suffix pairs and instance names: the URL mapping of sfdx-core (github.com/forcedotcom/sfdx-core).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from connector.errors import HaltError, StopReason

LOGIN_HOST: Final = "login.salesforce.com"
TEST_HOST: Final = "test.salesforce.com"
MY_DOMAIN_SUFFIXES: Final = {
    ".lightning.force.com": ".my.salesforce.com",
    ".lightning.crmforce.mil": ".my.salesforce.mil",
    ".my-lightning.com": ".my-salesforce.com",
    ".lightning.sfcrmapps.cn": ".my.sfcrmproducts.cn",
}
INSTANCE: Final = re.compile(r"(na|eu|ap|um|usa|ind|gs)\d+s?", re.ASCII)
SANDBOX_INSTANCE: Final = re.compile(r"cs\d+s?", re.ASCII)
LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def login_host(account_url: str, trusted_host: str) -> str:
    """Return the login host of an account URL; only the trusted host has a port.

    Accepts the addresses that users copy from a browser: a Lightning, My Domain, instance or login
    URL, with or without https. `trusted_host` (host:port, '' for none) is allowed too, for a
    simulator. Raises `HaltError` for any other address, before a password is sent.
    """
    text = account_url.strip()
    url = text if "//" in text else f"https://{text}"
    if _is_trusted(url, trusted_host):
        return trusted_host
    host = _host_of(url)
    if host in (LOGIN_HOST, TEST_HOST):
        return host
    for lightning, my_domain in MY_DOMAIN_SUFFIXES.items():
        if host.endswith(lightning):
            return _login_host_for(host.removesuffix(lightning), my_domain)
        if host.endswith(my_domain):
            return host
    if (name := _common_domain_name(host)) is not None:
        return _login_host_for(name, ".my.salesforce.com")
    raise HaltError(
        StopReason.ACCOUNT_URL,
        "the account URL is not a Salesforce address: copy it from the browser, for example "
        "https://acme.lightning.force.com or https://acme.my.salesforce.com",
    )


def _host_of(url: str) -> str:
    """Return the host of a plain https URL (no user, no port); '' for any other URL."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets without an address, letters that normalize to separators
        return ""
    host = (parts.hostname or "").lower()
    labels = host.split(".")
    plain = parts.scheme == "https" and parts.netloc.lower() == host
    return host if plain and all(LABEL.fullmatch(label) for label in labels) else ""


def _is_trusted(url: str, trusted_host: str) -> bool:
    if not trusted_host:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.netloc.lower() == trusted_host.lower()


def _common_domain_name(host: str) -> str | None:
    """Return the name in `<name>.salesforce.com`, the form of instances (eu11.salesforce.com)."""
    name = host.removesuffix(".salesforce.com")
    return name if name not in (host, "my") and "." not in name else None


def _login_host_for(name: str, my_domain: str) -> str:
    """Return the login host: an instance (eu11) is not a My Domain and uses the common host."""
    if INSTANCE.fullmatch(name):
        return LOGIN_HOST
    if SANDBOX_INSTANCE.fullmatch(name):
        return TEST_HOST
    return f"{name}{my_domain}"


def checked_instance(instance_url: str, trusted_host: str) -> str:
    """Return the instance URL of a token response when it is Salesforce's or the trusted host.

    Raises `HaltError` for any other host: a forged response must not receive the session.
    """
    if _is_trusted(instance_url, trusted_host):
        return f"https://{trusted_host}"
    host = _host_of(instance_url)
    if host.endswith(tuple(MY_DOMAIN_SUFFIXES.values())) or _common_domain_name(host) is not None:
        return f"https://{host}"
    raise HaltError(
        StopReason.INSTANCE_URL,
        "the login response contains an instance that is not a Salesforce address",
    )
