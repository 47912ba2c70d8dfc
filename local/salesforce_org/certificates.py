"""A private certificate authority, a server certificate for loopback, and a key pair for JWT."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = dt.timedelta(days=365)
RSA_BITS = 2048
HOSTS = ("localhost", "login.salesforce.com", "test.salesforce.com", "*.my.salesforce.com")


@dataclass(frozen=True, slots=True)
class ServerCertificates:
    """PEM files: the CA bundle for clients, and the certificate and key of the server."""

    ca_bundle: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class JwtKeyPair:
    """The private key that signs assertions, and the certificate of the connected app."""

    private_key: str
    certificate: str


def make_certificates(folder: Path) -> ServerCertificates:
    """Write a new authority and a server certificate to a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("Simulated Salesforce authority")
    authority = _authority(authority_key, authority_name)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _server(key, authority_key, authority_name)
    files = ServerCertificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    files.ca_bundle.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(_private_pem(key))
    return files


@lru_cache(maxsize=1)
def jwt_key_pair() -> JwtKeyPair:
    """Return the key pair of the JWT flow; it is created once per process, because it is slow."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    name = _name("Plezi connector")
    certificate = _builder(name, name, key.public_key()).sign(key, hashes.SHA256())
    return JwtKeyPair(
        _private_pem(key).decode(),
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )


def _authority(key: ec.EllipticCurvePrivateKey, name: x509.Name) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    return (
        _builder(name, name, public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Name,
) -> x509.Certificate:
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in HOSTS]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    issuer = authority_key.public_key()
    return (
        _builder(_name("localhost"), authority, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            critical=False,
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + VALIDITY)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
