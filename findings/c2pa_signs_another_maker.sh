#!/usr/bin/env bash
# c2pa-rs replaces the maker that a manifest names by itself.
#
# Guess:  "claim_generator" of a manifest definition, the string that C2PA 1.x requires in every claim, names the program that made a film,
#         and signing keeps it or refuses it.
# True:   the string is read and dropped without a word, for claims of version 1 and of version 2. The signed claim says that c2pa-rs
#         generated it. Only "claim_generator_info", a list of {name, version}, is kept, with c2pa-rs's own version added.
#         Seen: c2pa-python 0.38.1 (c2pa-rs 0.91.3), which c2patool is built on too; the film validates in all three cases.
# Matters: a label that is to say which program generated a film says that the signing library did, and no check complains. Fabula's manifest
#         names itself in claim_generator_info and in the action's softwareAgent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q c2pa-python==0.38.1 cryptography==46.0.3 imageio-ffmpeg==0.6.0
"$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" -v error -f lavfi -i testsrc=d=1 -c:v libx264 film.mp4

cat >sign.py <<'EOF'
import datetime
import json

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW = datetime.datetime.now(datetime.timezone.utc)


def certificate(subject, key, issuer, issuer_key, is_authority):
    name = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text), x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test")])
    usage = x509.KeyUsage(not is_authority, False, False, False, False, is_authority, is_authority, False, False)
    made = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(NOW - datetime.timedelta(days=1)).not_valid_after(NOW + datetime.timedelta(days=9))
            .add_extension(x509.BasicConstraints(is_authority, None), True).add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
    if not is_authority:
        made = made.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return made.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
chain = certificate("leaf", leaf, "root", root, False) + certificate("root", root, "root", root, True)
key = leaf.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
action = {"action": "c2pa.created", "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"}
print("c2pa-rs", c2pa.sdk_version())
for case, maker in {"1": {"claim_version": 1, "claim_generator": "Studio/7"}, "2": {"claim_version": 2, "claim_generator": "Studio/7"},
                    "info": {"claim_generator_info": [{"name": "Studio", "version": "7"}]}}.items():
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(alg=c2pa.C2paSigningAlg.ES256, sign_cert=chain, private_key=key, ta_url=None))
    c2pa.Builder({**maker, "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}]}).sign_file("film.mp4", f"{case}.mp4", signer)
    report = json.loads(c2pa.Reader(f"{case}.mp4").json())
    claim = report["manifests"][report["active_manifest"]]
    codes = {entry["code"] for entry in report["validation_results"]["activeManifest"]["success"]}
    print(case, "valid" if "claimSignature.validated" in codes else "invalid", claim.get("claim_generator"), claim["claim_generator_info"][0]["name"],
          "Studio" in json.dumps(claim))
EOF
venv/bin/python sign.py | tee seen.txt
cat >expected.txt <<'EOF'
c2pa-rs 0.91.3
1 valid c2pa-rs/0.91.3 c2pa-rs False
2 valid None c2pa-rs False
info valid None Studio True
EOF
diff expected.txt seen.txt >&2 || {
  echo "changed: the maker of the manifest was expected to be lost in cases 1 and 2, and kept in info" >&2
  exit 1
}
