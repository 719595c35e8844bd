#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# install-deps.sh [PURPOSE...]: installs the packages that headgate needs for these purposes (default: all of them) on a
# minimal Debian 12 or 13. Requires root. `--fedora` only prints the names of Fedora's packages.
#     program   to compile the program
#     demo      to compile the program and to run the demo, the last part of which also needs `node`
#     build     to compile the program, its tests and the benchmark's helpers
#     clang     to compile them with clang, its sanitizers and fuzzers
#     test      to run tests; those of the API need `node`, the console's `node` and `browser`, the packages' `judges`
#     packages  to build the deb and the rpm
#     lint      to check sources and documents
#     bench     to run the benchmark
set -eu

compilers="build-essential cmake ninja-build pkg-config"
libraries="libmnl-dev libnftables-dev libpoco-dev libsqlite3-dev libssl-dev libyaml-cpp-dev libcli11-dev libfmt-dev libexpected-dev
    libsimdjson-dev prometheus-cpp-dev"
# The programs that run in the kernel (HEADGATE_FAST_SCAN).
kernel_programs="clang bpftool libbpf-dev"
test_libraries="libgtest-dev libnetfilter-conntrack-dev"
# The lab: namespaces, traffic, and tools that verify the results; and the names of services.
lab="netbase iproute2 iputils-ping socat jq conntrack nftables procps util-linux kmod python3"
# Interpreters and other tools of the tests, and systemd-socket-activate.
readers="python3-pytest python3-jsonschema python3-yaml time curl openssl zsh man-db systemd openssh-server openssh-client tmux"
# The console's tests run in a browser.
browser="chromium fonts-dejavu-core"
package_builders="git ca-certificates ccache debhelper dh-apparmor dpkg-dev rpm"
# Linters of packages, and tools to create a machine to install them on.
package_judges="lintian rpmlint apparmor systemd-container mmdebstrap"

everything="build clang test node browser packages judges lint bench"

# The packages for a purpose. `node` and `npm` are commands, see below.
packages_for() {
    case $1 in
    program) echo "$compilers $libraries $kernel_programs" ;;
    demo) echo "$compilers $libraries $lab" ;;
    build) echo "$compilers $libraries $kernel_programs $test_libraries" ;;
    clang) echo "$compilers $libraries $kernel_programs $test_libraries libclang-rt-dev" ;;
    test) echo "$lab $readers" ;;
    node) echo "node npm" ;;
    browser) echo "$browser" ;;
    packages) echo "$compilers $libraries $kernel_programs $package_builders" ;;
    judges) echo "$package_judges" ;;
    lint) echo "$compilers $libraries $test_libraries git clang clang-format clang-tidy shellcheck zsh man-db python3" ;;
    bench) echo "$lab time curl wrk ulogd2 ulogd2-json" ;;
    *)
        echo "install-deps: no such purpose: $1 (there are: program demo $everything)" >&2
        exit 2
        ;;
    esac
}

if [ "${1:-}" = --fedora ]; then
    cat <<END
gcc-c++ cmake ninja-build pkgconf git
libnetfilter_conntrack-devel libmnl-devel nftables-devel poco-devel poco-sqlite poco-netssl poco-crypto sqlite-devel openssl-devel yaml-cpp-devel cli11-devel fmt-devel simdjson-devel expected-devel prometheus-cpp-devel gtest-devel
iproute iputils socat jq conntrack-tools nftables procps-ng util-linux time python3 python3-pytest python3-jsonschema python3-pyyaml kmod curl openssl zsh man-db nodejs npm
clang clang-tools-extra compiler-rt bpftool libbpf-devel ShellCheck wrk
chromium dejavu-sans-fonts
ccache rpm-build rpmlint dpkg debhelper lintian systemd-container mmdebstrap
END
    exit 0
fi

# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $everything
installed=" $(dpkg-query -W -f '${Package} ${Status}\n' 2>/dev/null | sed -n 's/ install ok installed$//p' | tr '\n' ' ') "
missing=""
for purpose; do
    named=$(packages_for "$purpose")
    for package in $named; do
        case $package in
        # For the AWS SDK for JavaScript. An installed command is used, whatever its origin.
        node | npm) command -v "$package" >/dev/null || missing="$missing $(echo "$package" | sed 's/^node$/nodejs/')" ;;
        *) case $installed in *" $package "*) ;; *) missing="$missing $package" ;; esac ;;
        esac
    done
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ]; then
    echo "install-deps: these packages are missing, and installing them takes root:$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
