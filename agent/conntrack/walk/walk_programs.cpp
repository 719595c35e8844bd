// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/walk_programs.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace headgate::conntrack {
namespace {

tl::unexpected<Error> not_loaded(int fault) {
    if (fault == -ENOSYS) return failed("this headgate was built without the programs");
    auto error = system_error(-fault, "loading the programs");
    if (fault == -EPERM) error.value().message += " (needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)";
    return error;
}

// The kernel takes its arguments in a union (bpf(2)).
// NOLINTBEGIN(cppcoreguidelines-pro-type-union-access)
Result<void> run(int program, bpf_attr& attributes) {
    attributes.test.prog_fd = static_cast<std::uint32_t>(program);
    while (::syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attributes, sizeof attributes) != 0) {
        if (errno != EINTR) return system_error(errno, "running a program");
    }
    return {};
}

Result<void> run(int program) {
    bpf_attr attributes{};
    return run(program, attributes);
}

/// XDP's programs run on a packet, at least an Ethernet header.
Result<void> run_on_packet(int program) {
    const std::array<char, 64> packet{};
    bpf_attr attributes{};
    attributes.test.data_in = reinterpret_cast<std::uint64_t>(packet.data());
    attributes.test.data_size_in = packet.size();
    attributes.test.repeat = 1;
    return run(program, attributes);
}
// NOLINTEND(cppcoreguidelines-pro-type-union-access)

anchor_request request_for(const FlowTuple& anchor) {
    anchor_request request{};
    std::ranges::copy(anchor.source.octets, request.source);
    std::ranges::copy(anchor.destination.octets, request.destination);
    request.source_port = htons(anchor.source_port);
    request.destination_port = htons(anchor.destination_port);
    request.is_ipv6 = anchor.source.family == Family::Ipv6 ? 1 : 0;
    request.protocol = static_cast<std::uint8_t>(anchor.protocol);
    return request;
}

}  // namespace

Result<std::unique_ptr<WalkPrograms>> WalkPrograms::load() {
    std::unique_ptr<WalkPrograms> programs{new WalkPrograms};
    if (const int fault = load_walk_programs(&programs->walk_); fault != 0) return not_loaded(fault);
    return programs;
}

WalkPrograms::~WalkPrograms() {
    if (walk_.unload != nullptr) walk_.unload(&walk_);
    if (anchor_.unload != nullptr) anchor_.unload(&anchor_);
}

Result<std::uint64_t> WalkPrograms::network_namespace() {
    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(run(walk_.find_network_namespace));
    return *walk_.network_namespace;
}

Result<std::optional<walk_place>> WalkPrograms::find_table() {
    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(run(walk_.find_table));
    if (walk_.place->table == 0) return std::nullopt;
    return *walk_.place;
}

Result<std::optional<std::uint64_t>> WalkPrograms::find_table_by(const FlowTuple& anchor) {
    const std::lock_guard lock{mutex_};
    if (anchor_.unload == nullptr) {
        if (const int fault = load_anchor_program(&anchor_); fault != 0) return not_loaded(fault);
    }
    *anchor_.request = request_for(anchor);
    RETURN_IF_ERROR(run_on_packet(anchor_.find_anchor));
    if (anchor_.answer->table == 0) return std::nullopt;
    return anchor_.answer->table;
}

Result<std::vector<walk_seed>> WalkPrograms::find_seeds() {
    const std::lock_guard lock{mutex_};
    RETURN_IF_ERROR(run(walk_.find_seeds));
    const std::size_t found = std::min<std::size_t>(walk_.seeds->count, WALK_MOST_SEEDS);
    return std::vector<walk_seed>{walk_.seeds->seed, walk_.seeds->seed + found};
}

Result<walk_answer> WalkPrograms::walk(const walk_request& request, std::vector<walk_row>& rows) {
    const std::lock_guard lock{mutex_};
    *walk_.request = request;
    RETURN_IF_ERROR(run(walk_.walk));
    const std::size_t found = std::min<std::size_t>(walk_.answer->rows, WALK_MOST_ROWS);
    rows.insert(rows.end(), walk_.rows->row, walk_.rows->row + found);
    return *walk_.answer;
}

}  // namespace headgate::conntrack
