// SPDX-License-Identifier: GPL-2.0-or-later
// Puts flows into the table, and learns from the kernel which of them it accepted.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "headgate/flow_table.h"

#include "conntrack/ctnetlink_requests.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

/// Works in batches, as FlowDeleter does. A success has no answer of its own: the last insert of a batch is
/// acknowledged, and by then every refused one has been answered, with its sequence number.
class FlowInserter {
  public:
    explicit FlowInserter(netlink::Socket socket);

    /// As FlowTable::insert. Cannot fail as a whole: an error becomes the result of the flows that it affects.
    void insert(std::span<const Flow> flows, const InsertionSink& told);

  private:
    [[nodiscard]] std::vector<int> insert_batch(std::span<const Flow> flows);

    netlink::Socket socket_;
    RequestBatch batch_;
    std::vector<std::byte> buffer_;
    std::uint32_t next_sequence_ = 1;
};

}  // namespace headgate::conntrack
