"""A hundred addresses that look like Salesforce's: none of them ever receives a password.

They cover the classes of attacks on allow-lists: suffixes and prefixes, user information, ports,
schemes, other separators, encodings, letters that look alike, addresses, and white space.
"""

from __future__ import annotations

import pytest

from connector.errors import HaltError
from connector.salesforce.auth.hosts import checked_instance, login_host

NO_TRUSTED_HOST = ""
GOOD = "acme.my.salesforce.com"
EVIL = "evil.example"

SUFFIXES = [
    f"https://{GOOD}.{EVIL}",
    f"https://{GOOD}.{EVIL}/services/oauth2/token",
    f"https://acme.my.salesforce.com-{EVIL}",
    "https://acme.my.salesforce.comm",
    "https://acme.my.salesforce.co",
    "https://acme.my.salesforce.com.br",
    "https://my.salesforce.com.evil.example",
    "https://evilsalesforce.com",
    "https://evil-salesforce.com",
    "https://acme.my-salesforce.com.evil.example",
    "https://login.salesforce.com.evil.example",
    "https://loginsalesforce.com",
    "https://login-salesforce.com",
    "https://acme.myxsalesforce.com",
    "https://acme.lightning.forcexcom",
    "https://acme.lightningxforce.com",
    "https://acme.lightning.force.com.evil.example",
    "https://evillightning.force.com",
    "https://acme.force.com",
    "https://acme.secure.force.com",
    "https://acme.my.site.com",
    "https://acme.my.salesforce-sites.com",
    "https://acme.visualforce.com",
    "https://salesforce.com",
    "https://acme.foo.salesforce.com",
]
USER_INFORMATION = [
    f"https://{GOOD}@{EVIL}",
    f"https://{GOOD}:x@{EVIL}",
    f"https://{GOOD}%40{EVIL}",
    f"https://user@{GOOD}",
    f"https://user:pass@{GOOD}",
    f"https://@{GOOD}",
    f"https://{EVIL}@{GOOD}",
    f"https://{EVIL}#@{GOOD}",
    f"https://{EVIL}?@{GOOD}",
    f"https://{EVIL}/@{GOOD}",
    f"https://{EVIL}\\@{GOOD}",
    f"https://{GOOD}\\@{EVIL}",
    f"{GOOD}@{EVIL}",
]
PORTS = [
    f"https://{GOOD}:443",
    f"https://{GOOD}:8443",
    f"https://{GOOD}:",
    f"https://{GOOD}:0",
    f"https://{GOOD}:99999",
    f"https://{GOOD}:{EVIL}",
    f"https://{GOOD}:443:80",
    f"{GOOD}:443",
]
SCHEMES = [
    f"http://{GOOD}",
    f"ftp://{GOOD}",
    f"file://{GOOD}",
    f"javascript://{GOOD}",
    f"gopher://{GOOD}",
    f"ws://{GOOD}",
    f"https+x://{GOOD}",
    f"://{GOOD}",
    f"//{GOOD}",
    f"https:{GOOD}",
    f"https:/{GOOD}",
    f"https:///{GOOD}",
    f"https:\\\\{GOOD}",
    f"http://https://{GOOD}",
    f"https://https://{GOOD}",
    f"data:text/html,https://{GOOD}",
]
SEPARATORS = [
    f"https://{EVIL}/{GOOD}",
    f"https://{EVIL}/.my.salesforce.com",
    f"https://{EVIL}#.my.salesforce.com",
    f"https://{EVIL}?.my.salesforce.com",
    f"https://{EVIL}\\.my.salesforce.com",
    f"https://{EVIL};.my.salesforce.com",
    f"https://{EVIL},.my.salesforce.com",
    f"https://{EVIL}&.my.salesforce.com",
    f"https://{EVIL}|.my.salesforce.com",
    f"https://{EVIL}'.my.salesforce.com",
    f"https://{EVIL}`.my.salesforce.com",
    f"https://{EVIL}$.my.salesforce.com",
    f"https://{EVIL}*.my.salesforce.com",
    f"https://{EVIL}(.my.salesforce.com",
    f"https://{EVIL}_.my.salesforce.com",
    f"https://{EVIL}~.my.salesforce.com",
    f"https://{EVIL}!.my.salesforce.com",
    f"https://{EVIL}=.my.salesforce.com",
]
ENCODINGS = [
    f"https://{EVIL}%2f.my.salesforce.com",
    f"https://{EVIL}%2F%2e.my.salesforce.com",
    f"https://{EVIL}%23.my.salesforce.com",
    f"https://{EVIL}%3f.my.salesforce.com",
    f"https://{EVIL}%5c.my.salesforce.com",
    f"https://{EVIL}%00.my.salesforce.com",
    f"https://{EVIL}%0d%0aHost:x.my.salesforce.com",
    f"https://{EVIL}%E3%80%82.my.salesforce.com",
    "https://acme%2emy%2esalesforce%2ecom",
    f"https://{EVIL}\x00.my.salesforce.com",
    f"https://{EVIL} .my.salesforce.com",
    f"https://{EVIL}\u200b.my.salesforce.com",
    f"https://{EVIL}\u00ad.my.salesforce.com",
]
LOOK_ALIKES = [
    "https://acme.my.s\u0430lesforce.com",
    "https://acme.my.sale\u017fforce.com",
    "https://acme.my.salesf\u043erce.com",
    "https://acme\u3002my\u3002salesforce\u3002com",
    "https://acme\uff0emy.salesforce.com",
    "https://\uff41cme.my.salesforce.com",
    "https://\u24d0cme.my.salesforce.com",
    f"https://{EVIL}\uff0f.my.salesforce.com",
    f"https://{EVIL}\u2044.my.salesforce.com",
    f"https://{EVIL}\u2100.my.salesforce.com",
    "https://acme.my.salesforce.c\u043em",
]
ADDRESSES = [
    "https://127.0.0.1",
    "https://localhost",
    "https://169.254.169.254",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[fd00:ec2::254]",
    "https://2130706433",
    "https://0x7f000001",
    "https://[acme.my.salesforce.com]",
]
EMPTY_OR_BROKEN = [
    "",
    " ",
    ".",
    "https://",
    "https://.",
    "https://.my.salesforce.com",
    "https://..my.salesforce.com",
    "https://acme..my.salesforce.com",
    f"https://{GOOD}.",
    "https://-acme.my.salesforce.com",
    "https://acme-.my.salesforce.com",
    f"https://{'a' * 64}.my.salesforce.com",
    "https://my.salesforce.com",
    "https://lightning.force.com",
]
BYPASSES = [
    *SUFFIXES, *USER_INFORMATION, *PORTS, *SCHEMES, *SEPARATORS, *ENCODINGS, *LOOK_ALIKES,
    *ADDRESSES, *EMPTY_OR_BROKEN,
]  # fmt: skip


@pytest.mark.parametrize("pasted", BYPASSES, ids=ascii)
def test_a_host_that_only_looks_like_salesforce_s_is_refused(pasted: str) -> None:
    with pytest.raises(HaltError, match="not a Salesforce address"):
        login_host(pasted, NO_TRUSTED_HOST)


@pytest.mark.parametrize("pasted", BYPASSES, ids=ascii)
def test_a_trusted_host_does_not_allow_another_host(pasted: str) -> None:
    with pytest.raises(HaltError, match="not a Salesforce address"):
        login_host(pasted, "127.0.0.1:8443")


@pytest.mark.parametrize(
    "answered", [address for address in BYPASSES if address.startswith("https://")], ids=ascii
)
def test_a_token_is_not_sent_to_such_an_instance(answered: str) -> None:
    with pytest.raises(HaltError, match="an instance that is not a Salesforce address"):
        checked_instance(answered, NO_TRUSTED_HOST)


def test_the_part_after_the_host_is_dropped() -> None:
    assert login_host(f"https://{GOOD}#@{EVIL}", NO_TRUSTED_HOST) == GOOD
    assert checked_instance(f"https://{GOOD}/?@{EVIL}", NO_TRUSTED_HOST) == f"https://{GOOD}"


@pytest.mark.parametrize(
    "instance", ["eu11.salesforce.com", GOOD, "acme--sbx.sandbox.my.salesforce.com"]
)
def test_the_instances_of_real_logins_are_accepted(instance: str) -> None:
    assert checked_instance(f"https://{instance}", NO_TRUSTED_HOST) == f"https://{instance}"


def test_there_are_at_least_a_hundred_bypasses() -> None:
    assert len(set(BYPASSES)) >= 100
