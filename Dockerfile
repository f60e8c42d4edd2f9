# The image of Weir: the program, the libraries from Debian that it loads, certificates, and nothing to configure. It has no shell and no
# package manager; /usr/share/sbom/weir.spdx.json lists what it contains.
#
#   docker build -t weir .
#   docker run --rm -p 8080:8080 -p 9464:9464 weir run --sandbox
#   docker run --rm -p 8080:8080 -p 9464:9464 -v ./weir.yaml:/etc/weir.yaml:ro weir run --config /etc/weir.yaml
#
# On Debian 13 in place of 12: docker build --build-arg DEBIAN=trixie -t weir .
#
# In a pod or a compose file Weir usually shares the app's network name space; then set WEIR_LISTEN=127.0.0.1:8080.

ARG DEBIAN=bookworm

FROM swift:6.3-bookworm AS swift-bookworm

# There is no image of Swift on Debian 13, and its toolchain for Debian 12 runs there.
FROM debian:trixie AS swift-trixie
ARG SWIFT=6.3.1
ARG SWIFT_KEY=52BB7E3DE28A71BE22EC05FFEF80A866B47A981F
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        binutils ca-certificates curl git gpg gpg-agent dirmngr libc6-dev libedit2 libncurses6 libsqlite3-0 libstdc++-12-dev libxml2 \
    && rm -rf /var/lib/apt/lists/*
RUN case $(dpkg --print-architecture) in amd64) platform=debian12 ;; arm64) platform=debian12-aarch64 ;; *) exit 1 ;; esac \
    && url=https://download.swift.org/swift-$SWIFT-release/$platform/swift-$SWIFT-RELEASE/swift-$SWIFT-RELEASE-$platform.tar.gz \
    && curl -fsSL "$url" -o /tmp/swift.tar.gz "$url.sig" -o /tmp/swift.tar.gz.sig \
    && GNUPGHOME=$(mktemp -d) && export GNUPGHOME \
    && gpg --batch --quiet --keyserver hkps://keyserver.ubuntu.com --recv-keys "$SWIFT_KEY" \
    && gpg --batch --verify /tmp/swift.tar.gz.sig /tmp/swift.tar.gz \
    && tar -xzf /tmp/swift.tar.gz --directory / --strip-components=1 \
    && rm -rf "$GNUPGHOME" /tmp/swift.tar.gz /tmp/swift.tar.gz.sig

FROM swift-${DEBIAN} AS build
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libmimalloc-dev libyaml-dev zlib1g-dev libbrotli-dev libzstd-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies alone first: a layer that stays while only sources change.
COPY Package.* ./
RUN swift package resolve
COPY Sources Sources
COPY Config Config
COPY Tests Tests
COPY Release Release
COPY Scripts Scripts
RUN strip -o /usr/local/bin/weir "$(Release/build)" && Release/linked-packages >/usr/local/share/weir-linked

# The files of the image: a Debian from which everything is left out that the program does not load.
FROM debian:${DEBIAN}-slim AS files
ARG DEBIAN
RUN case "$DEBIAN" in \
        bookworm) libraries="libcurl4 libgnutls30 libmimalloc2.0" ;; \
        trixie) libraries="libcurl4t64 libgnutls30t64 libmimalloc3" ;; \
        *) echo "DEBIAN is bookworm or trixie" >&2; exit 64 ;; \
    esac \
    && apt-get update -q \
    && apt-get install -q -y --no-install-recommends ca-certificates libbrotli1 libstdc++6 libzstd1 zlib1g $libraries \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/weir /usr/local/share/weir-linked /files/
COPY Release/image-files /files/
RUN /files/image-files /files/weir /files/weir-linked /image

FROM scratch
ARG DEBIAN
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Weir" \
    org.opencontainers.image.description="An HTTP sidecar that paces requests to APIs and turns every error into one schema" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.base.name="docker.io/library/debian:$DEBIAN-slim"
COPY --from=files /image /

# Inside a container the loopback address is nobody's: listen on all of them, and let the container be the wall.
ENV WEIR_LISTEN=0.0.0.0:8080 \
    WEIR_ADMIN_LISTEN=0.0.0.0:9464
EXPOSE 8080 9464

# A number, so that a cluster can see that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/local/bin/weir", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/weir"]
CMD ["run"]
