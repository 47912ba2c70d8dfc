"""The authority, the server certificate and the JWT key pair."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from local.salesforce_org.certificates import jwt_key_pair, make_certificates


def test_the_server_certificate_is_issued_by_the_private_authority(tmp_path: Path) -> None:
    files = make_certificates(tmp_path / "new")
    authority = x509.load_pem_x509_certificate(files.ca_bundle.read_bytes())
    server_certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    server_certificate.verify_directly_issued_by(authority)
    names = server_certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = names.get_values_for_type(x509.DNSName)
    assert {"localhost", "login.salesforce.com", "*.my.salesforce.com"} <= set(hosts)
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_the_jwt_key_belongs_to_its_certificate() -> None:
    pair = jwt_key_pair()
    key = load_pem_private_key(pair.private_key.encode(), password=None)
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    assert key.public_key() == certificate.public_key()
    assert jwt_key_pair() is pair
