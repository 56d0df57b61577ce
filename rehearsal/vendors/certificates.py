"""Certificate authorities as clouds hand them out."""

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_YEARS = dt.timedelta(days=3650)


def authority(organisation: str, name: str) -> dict[str, str]:
    """A new authority's certificate, in the shape of Cloud SQL's `serverCaCerts`; nobody has its key.

    Args:
        organisation: For example `Google, Inc`.
        name: Its common name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
    )
    start = dt.datetime.now(dt.UTC).replace(microsecond=0)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + _YEARS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return described(builder.sign(key, hashes.SHA256()))


def of(pem: str) -> dict[str, str]:
    """A certificate that is there, in the same shape.

    Args:
        pem: As PEM.
    """
    return described(x509.load_pem_x509_certificate(pem.encode()))


def described(certificate: x509.Certificate) -> dict[str, str]:
    """A certificate in the shape of Cloud SQL's `serverCaCerts`."""
    return {
        "cert": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "commonName": certificate.subject.rfc4514_string(),
        "createTime": certificate.not_valid_before_utc.isoformat(),
        "expirationTime": certificate.not_valid_after_utc.isoformat(),
        "sha1Fingerprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303  # Cloud SQL's own field.
    }
