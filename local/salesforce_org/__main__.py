"""Serve a simulated Salesforce org over HTTPS: `python -m local.salesforce_org --folder DIR`."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path
from typing import Any

from local.salesforce_org.application import SalesforceOrg
from local.salesforce_org.certificates import make_certificates
from local.salesforce_org.security import OrgUser
from local.serving import ServedApplication


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="local.salesforce_org", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) selects a free port")
    parser.add_argument(
        "--folder", type=Path, required=True, help="folder for the certificates and keys"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same ids")
    parser.add_argument("--load", type=int, default=0, metavar="N", help="load N sample leads")
    parser.add_argument("--ready-file", type=Path, help="JSON file, written when the org is ready")
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    org = SalesforceOrg(seed=options.seed)
    if options.load:
        org.load(leads=options.load)
    files = make_certificates(options.folder)
    served = ServedApplication(
        org,
        port=options.port,
        certificate=files.certificate,
        key=files.key,
        double_slash=True,
    )
    with served:
        org.instance_url = served.url
        ready = ready_file_contents(org, files.ca_bundle, options.folder)
        if options.ready_file is not None:
            # An atomic rename: a reader never sees a partial file.
            draft = options.ready_file.with_name(options.ready_file.name + ".draft")
            draft.write_text(json.dumps(ready), encoding="utf-8")
            draft.replace(options.ready_file)
        print(json.dumps({"url": org.instance_url}), flush=True)
        stop.wait()


def ready_file_contents(org: SalesforceOrg, ca_bundle: Path, folder: Path) -> dict[str, Any]:
    """Return the address and the credentials of the org; write the JWT key pair to the folder."""
    private_key, certificate = folder / "jwt.key", folder / "jwt.pem"
    private_key.touch(mode=0o600)
    private_key.write_text(org.jwt.private_key, encoding="ascii")
    certificate.write_text(org.jwt.certificate, encoding="ascii")
    return {
        "url": org.instance_url,
        "ca_bundle": str(ca_bundle.absolute()),
        "consumer_key": org.consumer_key,
        "consumer_secret": org.consumer_secret,
        "integration_user": _credentials(org.integration_user),
        "sales_user": _credentials(org.sales_user),
        "jwt_private_key": str(private_key.absolute()),
        "jwt_certificate": str(certificate.absolute()),
    }


def _credentials(user: OrgUser) -> dict[str, str]:
    return {
        "username": user.username,
        "password": user.password,
        "security_token": user.security_token,
    }


if __name__ == "__main__":
    main()
