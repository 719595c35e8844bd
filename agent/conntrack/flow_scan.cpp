// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/flow_scan.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>

#include "conntrack/conntrack_error.h"
#include "conntrack/ctnetlink_requests.h"
#include "conntrack/flow_message.h"
#include "netlink/messages.h"

namespace headgate::conntrack {
namespace {

constexpr std::uint32_t kLookupSequence = 1;
constexpr std::uint32_t kEndMarker = 2;

/// An answer to a lookup occupies up to 2 KiB of the socket's buffer, so a batch is far from filling it.
constexpr std::size_t kLookupsPerBatch = 512;
constexpr int kLookupRoom = 2 * 1024 * 1024;

/// Resizes are rare. A table that is resized all the time is a misconfiguration, and no scan of it can be complete.
constexpr unsigned kMostRestarts = 5;

/// Pieces of a dump between two checks of the hash size: about 20 ms.
constexpr unsigned kPiecesBetweenChecks = 64;

/// The largest distance, in rows, of a repeated row: the longest chain to expect, many times the mean because chain
/// lengths are Poisson distributed, plus the rows that another concurrent dump has reported meanwhile.
std::size_t repetition_window(const TableUsage& usage) {
    constexpr std::size_t kBesideTheChain = 4096;
    return kBesideTheChain + 16 * usage.in_use / std::max<std::uint64_t>(usage.buckets, 1);
}

KernelVersion running_kernel() {
    utsname name{};
    return ::uname(&name) == 0 ? parse_kernel_version(name.release) : KernelVersion{};
}

/// State of the dump after a piece.
struct PieceEnd {
    bool finished = false;
    bool interrupted = false;
};

/// Calls `row` for every flow in a piece of a dump.
template <typename Row>
Result<PieceEnd> read_piece(netlink::Bytes piece, Row row) {
    PieceEnd end;
    netlink::Message message;
    netlink::MessageReader reader{piece};
    while (reader.next(message)) {
        if (message.header.nlmsg_seq != kDumpSequence) continue;
        if ((message.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) end.interrupted = true;
        if (message.header.nlmsg_type == NLMSG_DONE || message.header.nlmsg_type == NLMSG_ERROR) {
            if (const int number = message.error(); number != 0) return conntrack_error(number);
            end.finished = true;
        } else if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) {
            RETURN_IF_ERROR(row(message.payload));
        }
    }
    if (!reader.at_end()) return failed("conntrack sent a message that is longer than its datagram");
    return end;
}

}  // namespace

FlowScan::FlowScan(SocketSource open_socket, const TableSysctls& sysctls, const FlowQuery& query, const Moment& moment,
                   ScanListener& listener)
    : open_socket_(std::move(open_socket)),
      sysctls_(sysctls),
      query_(query),
      moment_(moment),
      listener_(listener),
      buffer_(netlink::kDumpBuffer) {}

Result<ScanReport> FlowScan::run() {
    ASSIGN_OR_RETURN(const auto usage, sysctls_.usage());
    const ScanPlan plan = plan_scan(query_, TableFacts{running_kernel(), usage.in_use});
    listener_.planned(describe(plan));
    RowMatcher rows{query_, moment_, listener_, repetition_window(usage)};
    if (plan.method == ScanPlan::Method::Lookup) {
        RETURN_IF_ERROR(look_up(plan, rows));
    } else {
        ASSIGN_OR_RETURN(const auto dumps, confirm_dumps(plan));
        RETURN_IF_ERROR(dump_until_stable(dumps, rows));
    }
    RETURN_IF_ERROR(rows.flush());
    return rows.report();
}

Result<void> FlowScan::look_up(const ScanPlan& plan, RowMatcher& rows) {
    ASSIGN_OR_RETURN(auto socket, open_socket_());
    socket.set_receive_room(kLookupRoom);
    RETURN_IF_ERROR(socket.drop_not_found());
    RequestBatch batch;
    const std::size_t zones = plan.zones.empty() ? std::size_t{UINT16_MAX} + 1 : plan.zones.size();
    for (std::size_t i = 0; i < zones; ++i) {
        const auto zone = plan.zones.empty() ? static_cast<std::uint16_t>(i) : plan.zones[i];
        for (const auto& tuple : plan.lookups) {
            batch.add_lookup(tuple, zone, kLookupSequence);
            if (batch.count() < kLookupsPerBatch) continue;
            RETURN_IF_ERROR(look_up_batch(socket, batch, rows));
        }
    }
    return look_up_batch(socket, batch, rows);
}

Result<void> FlowScan::look_up_batch(netlink::Socket& socket, RequestBatch& batch, RowMatcher& rows) {
    batch.add_end_marker(kEndMarker);
    RETURN_IF_ERROR(socket.send(batch.bytes()));
    batch.clear();
    for (;;) {
        ASSIGN_OR_RETURN(const auto piece, socket.receive_waiting(buffer_));
        if (!piece) return failed("conntrack did not answer all lookups");
        netlink::Message message;
        for (netlink::MessageReader reader{*piece}; reader.next(message);) {
            if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) {
                RETURN_IF_ERROR(rows.take(message.payload));
            } else if (const int number = message.error(); number != 0) {
                return conntrack_error(number);
            } else if (message.header.nlmsg_seq == kEndMarker) {
                return listener_.progressed(rows.report().scanned);
            }
        }
    }
}

Result<std::vector<KernelFilter>> FlowScan::confirm_dumps(const ScanPlan& plan) {
    std::vector<KernelFilter> whole_table{KernelFilter{}};
    if (!plan.worth_a_sample) return whole_table;
    ASSIGN_OR_RETURN(const auto sample, take_sample({}, plan.candidate, kSampleRows));
    auto dumps = choose_dumps(plan.candidate, sample);
    listener_.planned(fmt::format("of the first {} rows, {} pass and {} are IPv4: {}", sample.rows, sample.passing,
                                  sample.ipv4, describe(dumps)));
    for (const auto& filter : dumps) {
        if (filter.empty()) continue;
        ASSIGN_OR_RETURN(const auto probe, take_sample(filter, {}, kProbeRows));
        if (probe.typical_piece <= kLongestPause) continue;
        listener_.planned("a filtered piece takes more than a millisecond: one dump, matched here");
        return whole_table;
    }
    return dumps;
}

/// Reads the beginning of a dump and abandons the rest.
Result<DumpSample> FlowScan::take_sample(const KernelFilter& dumped, const KernelFilter& candidate,
                                         std::uint64_t rows) {
    ASSIGN_OR_RETURN(auto socket, begin_dump(open_socket_, dumped));
    DumpSample sample;
    const auto count = [&](netlink::Bytes payload) -> Result<void> {
        if (!FlowMessage::is_internet_family(payload)) return {};
        ASSIGN_OR_RETURN(const auto flow,
                         FlowMessage::parse(payload).and_then([](const FlowMessage& row) { return row.decode(); }));
        ++sample.rows;
        if (candidate.passes(flow)) ++sample.passing;
        if (flow.original.source.family == Family::Ipv4) ++sample.ipv4;
        return {};
    };
    std::vector<std::chrono::nanoseconds> times;
    for (PieceEnd end; !end.finished && sample.rows < rows;) {
        const auto begin = std::chrono::steady_clock::now();
        const auto piece = socket.receive(buffer_);
        times.push_back(std::chrono::steady_clock::now() - begin);
        if (!piece) return tl::unexpected(piece.error());
        ASSIGN_OR_RETURN(const auto read, read_piece(*piece, count));
        end = read;
    }
    std::ranges::sort(times);
    sample.typical_piece = times[times.size() / 2];
    return sample;
}

Result<void> FlowScan::dump_until_stable(const std::vector<KernelFilter>& dumps, RowMatcher& rows) {
    for (unsigned restarts = 0; restarts <= kMostRestarts; ++restarts) {
        if (restarts > 0) rows.restart();
        ASSIGN_OR_RETURN(const auto pass, dump(dumps, rows));
        if (pass == Pass::Complete) return {};
        listener_.planned("the table was resized under the dump, which may have lost rows: once more");
    }
    return failed(
        "the conntrack table was resized {} times during the scan: no complete answer is possible; "
        "find out who writes nf_conntrack_buckets",
        kMostRestarts + 1);
}

Result<FlowScan::Pass> FlowScan::dump(const std::vector<KernelFilter>& dumps, RowMatcher& rows) {
    ASSIGN_OR_RETURN(const auto buckets_before, sysctls_.buckets());
    std::vector<netlink::Socket> sockets;
    for (const auto& filter : dumps) {
        ASSIGN_OR_RETURN(auto socket, begin_dump(open_socket_, filter));
        sockets.push_back(std::move(socket));
    }
    DumpStream stream{std::move(sockets)};
    RETURN_IF_ERROR(stream.start());
    return read_dump(stream, buckets_before, rows);
}

// The kernel does not report a resize of the table during a dump, and rows are lost (nf_conntrack_netlink.c,
// ctnetlink_dump_table: the cursor is a bucket index). So nf_conntrack_buckets is compared before, during and after.
Result<FlowScan::Pass> FlowScan::read_dump(DumpStream& stream, std::uint64_t buckets_before, RowMatcher& rows) {
    for (unsigned pieces = 1;; ++pieces) {
        ASSIGN_OR_RETURN(const auto piece, stream.next());
        PieceEnd end;
        if (piece) {
            ASSIGN_OR_RETURN(const auto read,
                             read_piece(*piece, [&](netlink::Bytes payload) { return rows.take(payload); }));
            end = read;
        }
        if (end.interrupted) return Pass::Resized;
        if (!piece || pieces % kPiecesBetweenChecks == 0) {
            ASSIGN_OR_RETURN(const auto buckets, sysctls_.buckets());
            if (buckets != buckets_before) return Pass::Resized;
        }
        if (!piece) return Pass::Complete;
        RETURN_IF_ERROR(listener_.progressed(rows.report().scanned));
    }
}

}  // namespace headgate::conntrack
