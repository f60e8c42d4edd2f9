# The image of Weir: the program, its libraries from Debian, and nothing to configure.
#
#   docker build -t weir .
#   docker run --rm -p 8080:8080 -p 9464:9464 weir run --sandbox
#   docker run --rm -p 8080:8080 -p 9464:9464 -v ./weir.yaml:/etc/weir.yaml:ro weir run --config /etc/weir.yaml
#
# In a pod or a compose file Weir usually shares the app's network name space; then set WEIR_LISTEN=127.0.0.1:8080.

FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libmimalloc-dev zlib1g-dev libbrotli-dev libhiredis-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies alone first: a layer that stays while only sources change.
COPY Package.* ./
RUN swift package resolve
COPY Sources Sources
COPY Config Config
COPY Tests Tests
RUN swift build --configuration release --static-swift-stdlib --product weir \
    && strip -o /usr/local/bin/weir "$(swift build --configuration release --show-bin-path)/weir"

FROM debian:bookworm-slim
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends \
        ca-certificates libbrotli1 libcurl4 libgnutls30 libhiredis0.14 libmicrohttpd12 libmimalloc2.0 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/weir /usr/local/bin/weir

# Inside a container the loopback address is nobody's: listen on all of them, and let the container be the wall.
ENV WEIR_LISTEN=0.0.0.0:8080 \
    WEIR_ADMIN_LISTEN=0.0.0.0:9464
EXPOSE 8080 9464

# A number, so that a cluster can see that it is not root; no home, no shell, nothing to write to.
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/local/bin/weir", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/weir"]
CMD ["run"]
