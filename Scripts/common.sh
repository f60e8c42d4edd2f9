# Functions shared by the scripts; sourced, not run. Changes the working directory to the project's root.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Reports the next step on standard error, so that standard output belongs to the program that is run.
say() { printf '==> %s\n' "$*" >&2; }

# Exits with a message and an exit code (sysexits.h: 69, a requirement is missing).
fail() {
    local code=$1
    shift
    printf 'error: %s\n' "$*" >&2
    exit "$code"
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    else
        sudo -- "$@"
    fi
}

# Under sudo, continues as the calling user if the project belongs to them: a build by root would lock them out of
# .build. Takes the script's own path and arguments. Call it when the steps that need root are done.
leave_sudo() {
    [[ $EUID -eq 0 && -n ${SUDO_USER:-} && $SUDO_USER != root ]] || return 0
    [[ $(stat -c %U .) == "$SUDO_USER" ]] || return 0
    say "continuing as $SUDO_USER"
    exec sudo -H -u "$SUDO_USER" -- "$@"
}

readonly swift_sources="get it from https://www.swift.org/install/linux, or build the image: docker build -t weir ."

# Puts a Swift toolchain on PATH, or exits with instructions to get one. It may still lack libraries that install-packages installs.
find_swift() {
    local place home=$HOME
    if [[ -n ${SUDO_USER:-} ]]; then home=$(getent passwd "$SUDO_USER" | cut -d: -f6); fi
    # sudo and cron shorten PATH; these are the usual places of swiftly and of an unpacked toolchain.
    for place in "$home/.local/share/swiftly/bin" /opt/swift/usr/bin /usr/local/swift/usr/bin; do
        if ! command -v swift >/dev/null && [[ -x $place/swift ]]; then PATH=$place:$PATH; fi
    done
    command -v swift >/dev/null || fail 69 "Swift 6.2 or later is needed: $swift_sources"
}

# The version of the Swift toolchain, for example 6.3.1; nothing if it does not start.
swift_version() { { swift --version 2>/dev/null || true; } | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1; }

# Exits with instructions to get a Swift toolchain unless one of at least 6.2 runs.
require_swift() {
    local version
    find_swift
    version=$(swift_version)
    if [[ -z $version || $(printf '6.2\n%s\n' "$version" | sort -V | head -n 1) != 6.2 ]]; then
        fail 69 "Swift 6.2 or later is needed (found ${version:-a toolchain that does not start}): $swift_sources"
    fi
}
