// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/lookup_source.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "conntrack/ctnetlink_requests.h"
#include "netlink/messages.h"

namespace headgate::conntrack {
namespace {

constexpr std::uint32_t kLookupSequence = 1;
constexpr std::uint32_t kEndMarker = 2;

/// An answer to a look-up occupies up to 2 KiB of the socket's buffer, so a batch is far from filling it.
constexpr std::size_t kLookupsPerBatch = 512;
constexpr int kLookupRoom = 2 * 1024 * 1024;

}  // namespace

CandidateWalk walk_of(Lookups lookups) {
    return [lookups = std::move(lookups)](const CandidateSink& look_up) -> Result<Pass> {
        for (std::uint64_t i = 0; i < lookups.count(); ++i)
            RETURN_IF_ERROR(look_up(lookups.at(i)));
        return Pass::Complete;
    };
}

LookupSource::LookupSource(SocketSource open_socket, CandidateWalk walk)
    : open_socket_(std::move(open_socket)), walk_(std::move(walk)), buffer_(netlink::kDumpBuffer) {}

Result<Pass> LookupSource::read(RowMatcher& rows) {
    ASSIGN_OR_RETURN(auto socket, open_socket_());
    socket.set_receive_room(kLookupRoom);
    RETURN_IF_ERROR(socket.drop_not_found());
    batch_.clear();
    ASSIGN_OR_RETURN(const auto pass, walk_([&](const Candidate& candidate) -> Result<void> {
                         batch_.add_lookup(candidate.tuple, candidate.zone, kLookupSequence);
                         return batch_.count() < kLookupsPerBatch ? Result<void>{} : look_up(socket, rows);
                     }));
    RETURN_IF_ERROR(look_up(socket, rows));
    return pass;
}

/// Sends the batch and passes the answers on.
Result<void> LookupSource::look_up(netlink::Socket& socket, RowMatcher& rows) {
    batch_.add_end_marker(kEndMarker);
    RETURN_IF_ERROR(socket.send(batch_.bytes()));
    batch_.clear();
    for (;;) {
        ASSIGN_OR_RETURN(const auto piece, socket.receive_waiting(buffer_));
        if (!piece) return failed("conntrack did not answer all lookups");
        netlink::Message message;
        for (netlink::MessageReader reader{*piece}; reader.next(message);) {
            if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) {
                RETURN_IF_ERROR(rows.match(message.payload));
            } else if (const int number = message.error(); number != 0) {
                return conntrack_error(number);
            } else if (message.header.nlmsg_seq == kEndMarker) {
                return rows.progressed();
            }
        }
    }
}

}  // namespace headgate::conntrack
