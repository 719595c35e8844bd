// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/lookup_source.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

#include <utility>
#include <vector>

#include "conntrack/ctnetlink_requests.h"
#include "netlink/messages.h"

namespace headgate::conntrack {
namespace {

constexpr std::uint32_t kLookupSequence = 1;
constexpr std::uint32_t kEndMarker = 2;

/// An answer to a look-up occupies up to 2 KiB of the socket's buffer, so a batch is far from filling it.
constexpr std::size_t kLookupsPerBatch = 512;
constexpr int kLookupRoom = 2 * 1024 * 1024;

/// Passes on the answers of each full batch.
class BatchedLookups final : public WalkSink {
  public:
    BatchedLookups(netlink::Socket& socket, RowMatcher& rows)
        : socket_(socket), rows_(rows), buffer_(netlink::kDumpBuffer) {}

    Result<void> look_up(const Candidate& candidate) override {
        batch_.add_lookup(candidate.tuple, candidate.zone, kLookupSequence);
        return batch_.count() < kLookupsPerBatch ? Result<void>{} : finish();
    }

    Result<void> pass(const Flow& flow) override {
        RETURN_IF_ERROR(rows_.match(flow));
        return ++passed_ % kLookupsPerBatch == 0 ? rows_.progressed() : Result<void>{};
    }

    /// Sends the batch and passes the answers on.
    Result<void> finish() {
        batch_.add_end_marker(kEndMarker);
        RETURN_IF_ERROR(socket_.send(batch_.bytes()));
        batch_.clear();
        for (;;) {
            ASSIGN_OR_RETURN(const auto piece, socket_.receive_waiting(buffer_));
            if (!piece) return failed("conntrack did not answer all lookups");
            netlink::Message message;
            for (netlink::MessageReader reader{*piece}; reader.next(message);) {
                if (message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) {
                    RETURN_IF_ERROR(rows_.match(message.payload));
                } else if (const int number = message.error(); number != 0) {
                    return conntrack_error(number);
                } else if (message.header.nlmsg_seq == kEndMarker) {
                    return rows_.progressed();
                }
            }
        }
    }

  private:
    netlink::Socket& socket_;
    RowMatcher& rows_;
    RequestBatch batch_;
    std::vector<std::byte> buffer_;
    std::uint64_t passed_ = 0;
};

}  // namespace

CandidateWalk walk_of(Lookups lookups) {
    return [lookups = std::move(lookups)](WalkSink& sink) -> Result<Pass> {
        for (std::uint64_t i = 0; i < lookups.count(); ++i)
            RETURN_IF_ERROR(sink.look_up(lookups.at(i)));
        return Pass::Complete;
    };
}

Result<Pass> LookupSource::read(RowMatcher& rows) {
    ASSIGN_OR_RETURN(auto socket, open_socket_());
    socket.set_receive_room(kLookupRoom);
    RETURN_IF_ERROR(socket.drop_not_found());
    BatchedLookups lookups{socket, rows};
    ASSIGN_OR_RETURN(const auto pass, walk_(lookups));
    RETURN_IF_ERROR(lookups.finish());
    return pass;
}

}  // namespace headgate::conntrack
