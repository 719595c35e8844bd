#!/bin/sh
# Installs what headgate takes to build and to test, on a bare Debian 12 (or later). As root.
# `--fedora` only names the packages of Fedora.
set -eu

build="build-essential cmake ninja-build pkg-config git ca-certificates
    libnetfilter-conntrack-dev libmnl-dev libnftables-dev libpoco-dev libsqlite3-dev libssl-dev libyaml-cpp-dev libcli11-dev
    libfmt-dev libexpected-dev prometheus-cpp-dev libgtest-dev"
# The lab: namespaces, traffic, and the judges. And what reads the documents.
lab="iproute2 iputils-ping socat jq conntrack nftables procps util-linux time python3 python3-pytest python3-jsonschema python3-yaml kmod curl openssl zsh man-db openssh-server openssh-client tmux"
# Linters, the second compiler, fuzzers, and what the benchmark compares with.
check="clang clang-format clang-tidy libclang-rt-14-dev shellcheck wrk ulogd2 ulogd2-json"
# The console is tried in a browser.
browser="chromium fonts-dejavu-core"
# Packages: how they are built, what judges them, and a machine to install them on.
packages="ccache debhelper dh-apparmor dpkg-dev rpm lintian rpmlint apparmor systemd-container mmdebstrap"

if [ "${1:-}" = --fedora ]; then
    cat <<END
gcc-c++ cmake ninja-build pkgconf git
libnetfilter_conntrack-devel libmnl-devel nftables-devel poco-devel poco-sqlite poco-netssl poco-crypto sqlite-devel openssl-devel yaml-cpp-devel cli11-devel fmt-devel expected-devel prometheus-cpp-devel gtest-devel
iproute iputils socat jq conntrack-tools nftables procps-ng util-linux time python3 python3-pytest python3-jsonschema python3-pyyaml kmod curl openssl zsh man-db nodejs npm
clang clang-tools-extra compiler-rt ShellCheck wrk
chromium dejavu-sans-fonts
ccache rpm-build rpmlint dpkg debhelper lintian systemd-container mmdebstrap
END
    exit 0
fi

missing=""
for package in $build $lab $check $browser $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
# For the AWS SDK for JavaScript, which takes node 20: an installed one, from wherever it is, stays.
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ]; then
    echo "install-deps: these packages are missing, and installing them takes root:$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 -- a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
