"""The proxy of `make clients` leads the login hosts to the org, and nothing else anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from local.salesforce_org import SalesforceOrg
from local.salesforce_org.certificates import make_certificates
from local.serving import ServedApplication
from tests.clients.connect_proxy import ConnectProxy


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[requests.Session]:
    files = make_certificates(tmp_path_factory.mktemp("certificates"))
    org = SalesforceOrg(seed=7)
    with ServedApplication(org, certificate=files.certificate, key=files.key) as served:
        org.instance_url = served.url
        with ConnectProxy(urlsplit(served.url).port or 0) as proxy, requests.Session() as made:
            made.trust_env = False
            made.verify = str(files.ca_bundle)
            made.proxies = {"https": proxy.url}
            made.headers["X-Org"] = served.url  # for the tests
            yield made
    org.close()


def test_a_login_host_is_the_org(session: requests.Session) -> None:
    versions = session.get("https://login.salesforce.com/services/data").json()
    assert versions[-1]["version"] == "68.0"


def test_the_address_of_the_org_is_reached_too(session: requests.Session) -> None:
    url = session.headers["X-Org"]
    assert isinstance(url, str)
    found = session.get(f"{url}/services/data")
    assert found.status_code == 200


@pytest.mark.parametrize("host", ["example.com", "acme.my.salesforce.com", "127.0.0.1:1"])
def test_no_other_host_is_reached(session: requests.Session, host: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="502"):
        session.get(f"https://{host}/services/data")
