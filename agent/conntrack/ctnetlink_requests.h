// SPDX-License-Identifier: GPL-2.0-or-later
// Requests to conntrack: several per buffer, sent at once.
// Format: net/netfilter/nf_conntrack_netlink.c, ctnetlink_{get,del,new}_conntrack().
#pragma once

#include <cstddef>
#include <cstdint>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "conntrack/scan_plan.h"
#include "netlink/request_buffer.h"

namespace headgate::conntrack {

class RequestBatch {
  public:
    /// Dumps the entries that pass the filter; an empty filter passes the whole table.
    void add_dump(const KernelFilter& filter, std::uint32_t sequence);

    /// Looks up the entry that has this tuple in one of its directions. Answered by the entry, or by ENOENT.
    void add_lookup(const FlowTuple& tuple, std::uint16_t zone, std::uint32_t sequence);

    /// Looks up the entry of the flow's tuple and zone; the kernel ignores its id here (ctnetlink_get_conntrack).
    void add_lookup(const Flow& flow, std::uint32_t sequence);

    /// Deletes the entry of the flow's tuple, zone and id, which are written byte for byte as the kernel reports them.
    /// Always with a full tuple: CT_DELETE without one deletes everything (ctnetlink_del_conntrack).
    /// Answered by the DESTROY event (NLM_F_ECHO) if the entry sends events, and by an error if it fails.
    void add_delete(const Flow& flow, std::uint32_t sequence);

    /// Answered by an error if it fails.
    void add_insert(const Flow& flow, std::uint32_t sequence);

    /// Requests an answer to the last request even if it succeeds, which shows that the kernel processed the batch.
    void acknowledge_last() { buffer_.acknowledge_last(); }

    /// The same as a separate request that does nothing (af_netlink.c, netlink_rcv_skb: NLMSG_NOOP is only
    /// acknowledged). For batches whose last answer may be dropped.
    void add_end_marker(std::uint32_t sequence);

    void clear() noexcept { buffer_.clear(); }

    [[nodiscard]] std::size_t count() const noexcept { return buffer_.count(); }
    [[nodiscard]] netlink::Bytes bytes() const noexcept { return buffer_.bytes(); }

  private:
    nlmsghdr* begin(std::uint8_t message, std::uint8_t family, std::uint16_t flags, std::uint32_t sequence);
    void add_identified(std::uint8_t message, std::uint16_t flags, const Flow& flow, std::uint32_t sequence);

    netlink::RequestBuffer buffer_;
};

/// The error of a refused request; EPERM names the missing privilege.
[[nodiscard]] tl::unexpected<Error> conntrack_error(int number);

}  // namespace headgate::conntrack
