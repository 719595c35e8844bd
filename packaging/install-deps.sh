#!/bin/sh
# Installs what headgate takes to build and to test, on a bare Debian 12 (or later). As root.
# `--fedora` only names the packages of Fedora.
set -eu

build="build-essential cmake ninja-build pkg-config git ca-certificates
    libnetfilter-conntrack-dev libmnl-dev libnftables-dev libpoco-dev libsqlite3-dev libyaml-cpp-dev libcli11-dev libfmt-dev
    libexpected-dev libgtest-dev"
# The lab: namespaces, traffic, and the judges.
lab="iproute2 iputils-ping socat conntrack nftables procps util-linux time python3 python3-pytest kmod"
# Linters, the second compiler, fuzzers, the profile behind the benchmark.
check="clang clang-format clang-tidy libclang-rt-14-dev"

if [ "${1:-}" = --fedora ]; then
    cat <<END
gcc-c++ cmake ninja-build pkgconf git
libnetfilter_conntrack-devel libmnl-devel nftables-devel poco-devel poco-sqlite sqlite-devel yaml-cpp-devel cli11-devel fmt-devel expected-devel gtest-devel
iproute iputils socat conntrack-tools nftables procps-ng util-linux time python3 python3-pytest kmod
clang clang-tools-extra compiler-rt
END
    exit 0
fi

missing=""
for package in $build $lab $check; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ]; then
    echo "install-deps: these packages are missing, and installing them takes root:$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 -- a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
