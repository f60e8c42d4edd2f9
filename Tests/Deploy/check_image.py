"""Checks an image's configuration, which arrives on standard input as `buildah inspect` prints it, and its list of packages.

Usage: check_image.py ROOT, the folder with the image's files.
"""

import json
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
config = json.load(sys.stdin)["OCIv1"]["config"]
mistakes = []


def expect(holds, text):
    if not holds:
        mistakes.append(text)


expect(config.get("User") == "65532:65532", f"user: {config.get('User')}")
expect(config.get("Entrypoint") == ["/usr/local/bin/weir"], f"entry point: {config.get('Entrypoint')}")
expect(config.get("Cmd") == ["run"], f"command: {config.get('Cmd')}")
expect(set(config.get("ExposedPorts", {})) == {"8080/tcp", "9464/tcp"}, f"ports: {config.get('ExposedPorts')}")
labels = config.get("Labels", {})
for name in ("title", "description", "licenses", "version", "base.name"):
    expect(labels.get(f"org.opencontainers.image.{name}"), f"the label org.opencontainers.image.{name} is missing or empty")

sbom = json.loads((root / "usr/share/sbom/weir.spdx.json").read_text())
expect(sbom["spdxVersion"] == "SPDX-2.3", "the list of packages is not SPDX 2.3")
packages = {package["name"]: package for package in sbom["packages"]}
for name in ("weir", "swift", "swift-log", "swift-argument-parser", "libmicrohttpd", "libyaml", "libc6", "ca-certificates"):
    expect(name in packages, f"the list of packages lacks {name}")
for package in packages.values():
    expect(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"]), f"not an identifier: {package['SPDXID']}")
    expect(package.get("versionInfo"), f"{package['name']} has no version")
identifiers = [package["SPDXID"] for package in sbom["packages"]]
expect(len(identifiers) == len(set(identifiers)), "two packages have one identifier")
for relation in sbom["relationships"]:
    expect(relation["relatedSpdxElement"] in identifiers, f"nothing is {relation['relatedSpdxElement']}")

# Each library in the image must belong to a package of the list; a path below /usr of Debian's packages is known with or without it.
for name in ("etc/ssl/certs/ca-certificates.crt", "etc/passwd", "usr/local/bin/weir"):
    expect((root / name).is_file(), f"the image lacks /{name}")
expect(list(root.glob("usr/lib/*/gconv/ISO8859-1.so")), "the image lacks iconv's converters")

for text in mistakes:
    print(f"error: {text}", file=sys.stderr)
sys.exit(1 if mistakes else 0)
