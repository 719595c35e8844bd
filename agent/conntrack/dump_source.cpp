// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/dump_source.h"

#include <fmt/format.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <algorithm>
#include <chrono>

#include "conntrack/ctnetlink_requests.h"
#include "conntrack/flow_message.h"
#include "netlink/messages.h"

namespace headgate::conntrack {
namespace {

/// Pieces of a dump between two checks of the hash size: about 20 ms.
constexpr unsigned kPiecesBetweenChecks = 64;

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

/// Reads the beginning of a dump and abandons the rest.
Result<DumpSample> read_sample(const SocketSource& open_socket, const KernelFilter& dumped,
                               const KernelFilter& candidate, std::uint64_t rows) {
    ASSIGN_OR_RETURN(auto socket, begin_dump(open_socket, dumped));
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
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    std::vector<std::chrono::nanoseconds> times;
    for (PieceEnd end; !end.finished && sample.rows < rows;) {
        const auto begin = std::chrono::steady_clock::now();
        const auto piece = socket.receive(buffer);
        times.push_back(std::chrono::steady_clock::now() - begin);
        if (!piece) return tl::unexpected(piece.error());
        ASSIGN_OR_RETURN(end, read_piece(*piece, count));
    }
    std::ranges::sort(times);
    sample.typical_piece = times[times.size() / 2];
    return sample;
}

}  // namespace

Result<std::vector<KernelFilter>> confirm_dumps(const SocketSource& open_socket, const ScanPlan& plan,
                                                ScanListener& listener) {
    std::vector<KernelFilter> whole_table{KernelFilter{}};
    if (!plan.worth_a_sample) return whole_table;
    ASSIGN_OR_RETURN(const auto sample, read_sample(open_socket, {}, plan.candidate, kSampleRows));
    auto dumps = choose_dumps(plan.candidate, sample);
    listener.planned(fmt::format("of the first {} rows, {} pass and {} are IPv4: {}", sample.rows, sample.passing,
                                 sample.ipv4, describe(dumps)));
    for (const auto& filter : dumps) {
        if (filter.empty()) continue;
        ASSIGN_OR_RETURN(const auto probe, read_sample(open_socket, filter, {}, kProbeRows));
        if (probe.typical_piece <= kLongestPause) continue;
        listener.planned("a filtered piece takes more than a millisecond: one dump, matched here");
        return whole_table;
    }
    return dumps;
}

Result<Pass> DumpSource::read(RowMatcher& rows) {
    ASSIGN_OR_RETURN(const auto buckets_before, sysctls_.buckets());
    std::vector<netlink::Socket> sockets;
    for (const auto& filter : dumps_) {
        ASSIGN_OR_RETURN(auto socket, begin_dump(open_socket_, filter));
        sockets.push_back(std::move(socket));
    }
    DumpStream stream{std::move(sockets)};
    RETURN_IF_ERROR(stream.start());
    return read(stream, buckets_before, rows);
}

// The kernel does not report a resize of the table during a dump, and rows are lost (nf_conntrack_netlink.c,
// ctnetlink_dump_table: the cursor is a bucket index). So nf_conntrack_buckets is compared before, during and after.
Result<Pass> DumpSource::read(DumpStream& stream, std::uint64_t buckets_before, RowMatcher& rows) {
    for (unsigned pieces = 1;; ++pieces) {
        ASSIGN_OR_RETURN(const auto piece, stream.next());
        PieceEnd end;
        if (piece) {
            ASSIGN_OR_RETURN(end, read_piece(*piece, [&](netlink::Bytes payload) { return rows.match(payload); }));
        }
        if (end.interrupted) return Pass::Resized;
        if (!piece || pieces % kPiecesBetweenChecks == 0) {
            ASSIGN_OR_RETURN(const auto buckets, sysctls_.buckets());
            if (buckets != buckets_before) return Pass::Resized;
        }
        if (!piece) return Pass::Complete;
        RETURN_IF_ERROR(rows.progressed());
    }
}

}  // namespace headgate::conntrack
