// SPDX-License-Identifier: GPL-2.0-or-later
// Ends exactly the chosen flows, and learns from the kernel how each of them ended.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "headgate/flow_table.h"

#include "conntrack/ctnetlink_requests.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

/// Works in batches, each answered completely before the next: the kernel takes its lock per message, and a larger
/// batch would only lengthen the pause within one send.
///
/// First the flows are looked up again. The id alone does not distinguish a flow from its successor on the same tuple:
/// it is computed from the tuple and the entry's address (nf_conntrack_core.c, nf_ct_get_id), and a connection that is
/// reopened from TIME_WAIT gets the memory that was freed just before (nf_conntrack_proto_tcp.c, nf_ct_kill and
/// NF_REPEAT). The time stamp distinguishes them. Flows without one are guarded by the id alone. For entries without
/// events, the look-up is also the only source of their last counters.
///
/// Then they are deleted. Success has no answer of its own. The last delete of a batch is acknowledged, which shows
/// that the kernel processed the batch. By then every failed delete has been answered, with its sequence number, and
/// every successful one was echoed (NLM_F_ECHO) as its DESTROY event with the final counters and state, if the entry
/// has events.
class FlowDeleter {
  public:
    explicit FlowDeleter(netlink::Socket socket);

    /// As FlowTable::look_up.
    [[nodiscard]] Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found);

    /// As FlowTable::remove. Cannot fail as a whole: an error becomes the outcome of the rows that it affects.
    void remove(std::span<const FlowRow> rows, const EndingSink& ended);

  private:
    enum class Progress : std::uint8_t { Unanswered, Resolved };

    struct Pending {
        FlowEnding ending;
        FlowKey key;
        Progress progress = Progress::Unanswered;

        void resolve(Outcome outcome, int error = 0) {
            ending.outcome = outcome;
            ending.error = error;
            progress = Progress::Resolved;
        }
    };

    void begin_batch(std::span<const FlowRow>& rows);
    [[nodiscard]] Result<void> look_up_batch();
    [[nodiscard]] bool send_deletes(std::span<Pending> rows);
    void delete_one_by_one();

    /// Receives the queued answers and passes each message to `take`. Returns whether none was lost.
    template <typename Take>
    [[nodiscard]] bool take_answers(Take take);

    static void take_lookup(netlink::Bytes payload, Pending& pending);
    void take_event(netlink::Bytes payload, std::span<Pending> rows);
    [[nodiscard]] Pending* row_of(std::uint32_t sequence, std::span<Pending> rows) const;

    netlink::Socket socket_;
    RequestBatch batch_;
    std::vector<std::byte> buffer_;
    std::vector<Pending> pending_;
    std::uint32_t first_sequence_ = 1;
    std::size_t next_event_ = 0;  ///< events arrive in the order of their requests
};

}  // namespace headgate::conntrack
