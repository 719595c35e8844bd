// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/bpf/run_program.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace headgate::conntrack {
namespace {

/// The smallest that the kernel accepts is an Ethernet header (net/bpf/test_run.c).
constexpr std::array<char, 64> kPacket{};

// The kernel takes its arguments in a union (bpf(2)).
// NOLINTBEGIN(cppcoreguidelines-pro-type-union-access)
Result<void> run(int program, bpf_attr& attributes) {
    attributes.test.prog_fd = static_cast<std::uint32_t>(program);
    while (::syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attributes, sizeof attributes) != 0) {
        if (errno != EINTR) return system_error(errno, "running a program");
    }
    return {};
}

}  // namespace

Result<void> run_program(int program) {
    bpf_attr attributes{};
    return run(program, attributes);
}

Result<void> run_on_packet(int program, std::uint32_t times) {
    bpf_attr attributes{};
    attributes.test.data_in = reinterpret_cast<std::uint64_t>(kPacket.data());
    attributes.test.data_size_in = kPacket.size();
    attributes.test.repeat = times;
    return run(program, attributes);
}
// NOLINTEND(cppcoreguidelines-pro-type-union-access)

tl::unexpected<Error> not_loaded(int fault) {
    if (fault == -ENOSYS) return failed("this headgate was built without the programs");
    auto error = system_error(-fault, "loading the programs");
    if (fault == -EPERM) error.value().message += " (needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)";
    return error;
}

entry_key key_of(const FlowTuple& tuple, std::uint16_t zone) {
    entry_key key{};
    std::ranges::copy(tuple.source.octets, key.source);
    std::ranges::copy(tuple.destination.octets, key.destination);
    key.source_port = htons(tuple.source_port);
    key.destination_port = htons(tuple.destination_port);
    key.zone = zone;
    key.is_ipv6 = tuple.source.family == Family::Ipv6 ? 1 : 0;
    key.protocol = static_cast<std::uint8_t>(tuple.protocol);
    return key;
}

}  // namespace headgate::conntrack
