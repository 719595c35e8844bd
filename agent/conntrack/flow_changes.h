// SPDX-License-Identifier: GPL-2.0-or-later
// Ends exactly the chosen flows, and puts flows back; learns from the kernel what became of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "headgate/flow_table.h"

#include "conntrack/ctnetlink_requests.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

/// The netlink ports from which headgate deletes flows, whichever process it is. The kernel reports to every listener
/// which port deleted a flow (nlmsg_pid of the event; nf_conntrack_netlink.c, ctnetlink_conntrack_event). They are
/// above every process id (at most 2^22, include/linux/threads.h), which the kernel uses for a process's first socket,
/// and below 2^31: other ports that the kernel chooses are negative (af_netlink.c, netlink_autobind).
inline constexpr std::uint32_t kFlushPorts = 0x48670000;  // "Hg"
inline constexpr std::uint32_t kFlushPortMask = 0xffff0000;

[[nodiscard]] constexpr bool is_flush_port(std::uint32_t port_id) {
    return (port_id & kFlushPortMask) == kFlushPorts;
}

/// The ports for sockets that delete flows.
inline constexpr netlink::PortBlock kFlushPortBlock{kFlushPorts, ~kFlushPortMask + 1};

/// Works in batches, each answered completely before the next: the kernel takes its lock per message, and a larger
/// batch would only lengthen the pause within one send.
///
/// First the flows are looked up again, which shows whether they are still the same (is_same_flow) and still to be
/// ended. What is not answered is not deleted. For entries without events, the look-up is also the only source of their
/// last counters.
///
/// Then they are deleted, by tuple, zone and id: conntrack compares no more. So a flow that is replaced after its
/// look-up, by one that gets its memory, is not distinguished; the echo, which has the start time of the flow that was
/// ended, then reveals it. Batches are small to keep that time short. Success has no answer of its own. The last delete
/// of a batch is acknowledged, which shows that the kernel processed the batch. By then every failed delete has been
/// answered, with its sequence number, and every successful one was echoed (NLM_F_ECHO) as its DESTROY event with the
/// final counters and state, if the entry has events.
class FlowDeleter {
  public:
    explicit FlowDeleter(netlink::Socket socket);

    /// As FlowTable::look_up.
    [[nodiscard]] Result<void> look_up(std::span<const FlowRow> rows, const PresenceSink& found);

    /// As FlowTable::remove. Cannot fail as a whole: an error becomes the outcome of the rows that it affects.
    void remove(std::span<const FlowRow> rows, const Confirmation& confirm, const EndingSink& ended);

  private:
    void begin_batch(std::span<const FlowRow>& rows);
    [[nodiscard]] Result<void> look_up_now(std::span<FlowRow> rows);
    [[nodiscard]] Result<std::size_t> send_lookups(std::span<FlowRow> rows, std::vector<bool>& answered);
    [[nodiscard]] bool send_deletes(std::span<FlowRow> rows);
    void delete_one_by_one();

    [[nodiscard]] static bool update_from_lookup(netlink::Bytes payload, FlowRow& row);
    void update_from_event(netlink::Bytes payload, std::span<FlowRow> rows);
    [[nodiscard]] FlowRow* row_of(std::uint32_t sequence, std::span<FlowRow> rows) const;

    netlink::Socket socket_;
    RequestBatch batch_;
    std::vector<std::byte> buffer_;
    std::vector<FlowRow> pending_;  ///< without an outcome until it is known
    std::uint32_t first_sequence_ = 1;
    std::size_t next_event_ = 0;  ///< events arrive in the order of their requests
};

/// As FlowTable::insert. Cannot fail as a whole: an error becomes the result of the flows that it affects. Works in
/// batches, too: the last insert of each is acknowledged, and by then every refused one has been answered, with its
/// sequence number. A success has no answer of its own.
void insert_flows(netlink::Socket socket, std::span<const Flow> flows, const InsertionSink& inserted);

}  // namespace headgate::conntrack
