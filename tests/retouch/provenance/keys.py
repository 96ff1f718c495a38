"""Keys and certificates made for a test: a root that vouches for one signer."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
}
USES = (
    *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("encipher_only", "decipher_only"),
)


def write(folder, kind="P-256"):
    """Write key.pem, chain.pem and root.pem into the folder."""
    own, root = KEYS[kind](), KEYS["P-256"]()
    above = _certificate("A root", root, "A root", root)
    signer = _certificate("A studio", own, "A root", root)
    folder.mkdir(exist_ok=True)
    (folder / "root.pem").write_bytes(above.public_bytes(PEM))
    chain = signer.public_bytes(PEM) + above.public_bytes(PEM)
    (folder / "chain.pem").write_bytes(chain)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(own.private_bytes(PEM, *form))
    return folder


def _certificate(subject, key, issuer, signer):
    root, now = key is signer, datetime.datetime.now(datetime.UTC)
    uses = dict.fromkeys(USES, False)
    uses |= {"digital_signature": not root, "key_cert_sign": root, "crl_sign": root}
    above = signer.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(root, None), critical=True)
        .add_extension(x509.KeyUsage(**uses), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False
        )
    )
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(own, critical=False)
    if not root:
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _name(words):
    own = x509.NameAttribute(NameOID.COMMON_NAME, words)
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"), own])
