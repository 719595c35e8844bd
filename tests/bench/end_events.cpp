// SPDX-License-Identifier: GPL-2.0-or-later
// bench_end_events COUNT RATE: deletes the first COUNT flows that bench_fill_table created in the current network
// namespace, RATE per second, or as fast as possible if RATE is 0. Uses an ordinary netlink port, like a program other
// than headgate. Prints the number of flows deleted per second.
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench/gateway_mix.h"
#include "conntrack/ctnetlink_requests.h"
#include "netlink/request_buffer.h"
#include "netlink/socket.h"

namespace {

using namespace headgate;
using Clock = std::chrono::steady_clock;

/// At 100,000 flows per second, one batch every 0.64 ms.
constexpr std::uint64_t kBatch = 64;

constexpr std::size_t kHeaders = sizeof(nlmsghdr) + sizeof(nfgenmsg);
constexpr std::size_t kIdAttribute = 8;  ///< bytes of CTA_ID, the last attribute of a delete

/// Deletes by tuple only, since the flow's id is unknown, and requests no acknowledgement.
void add_delete(netlink::RequestBuffer& requests, const Flow& flow) {
    constexpr std::size_t kLongestRequest = 512;
    conntrack::RequestBatch whole;
    whole.add_delete(flow, 0);
    const auto tuple = whole.bytes().first(whole.bytes().size() - kIdAttribute).subspan(kHeaders);
    const bool v4 = flow.original.source.family == Family::Ipv4;
    auto* const message = requests.begin({.type = NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_DELETE,
                                          .family = static_cast<std::uint8_t>(v4 ? AF_INET : AF_INET6)},
                                         kLongestRequest);
    std::ranges::copy(tuple, static_cast<std::byte*>(mnl_nlmsg_put_extra_header(message, tuple.size())));
    requests.end(message);
}

std::vector<netlink::RequestBuffer> deletes(std::uint64_t count) {
    std::vector<netlink::RequestBuffer> batches((count + kBatch - 1) / kBatch);
    for (std::uint64_t number = 0; number < count; ++number)
        add_delete(batches[number / kBatch], bench::flow_number(number));
    return batches;
}

/// The time after the start at which this many flows are to be deleted.
Clock::duration due(std::uint64_t ended, std::uint64_t rate) {
    if (rate == 0) return {};
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(ended) / static_cast<double>(rate)));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const auto count = std::strtoull(argv[1], nullptr, 10);
    const auto rate = std::strtoull(argv[2], nullptr, 10);
    auto socket = netlink::Socket::open();
    const auto batches = deletes(count);
    const auto start = Clock::now();
    std::uint64_t ended = 0;
    for (const auto& batch : batches) {
        std::this_thread::sleep_until(start + due(ended, rate));
        if (!socket || !socket->send(batch.bytes())) {
            fmt::print(stderr, "end_events: cannot delete: is this root?\n");
            return 1;
        }
        ended += batch.count();
    }
    const std::chrono::duration<double> took = Clock::now() - start;
    fmt::print("{:.0f}\n", static_cast<double>(ended) / took.count());
    return 0;
}
