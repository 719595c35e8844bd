// SPDX-License-Identifier: GPL-2.0-or-later
// A ctnetlink message about one flow: validated, then decoded as far as the caller needs. Pure functions on bytes; no
// sockets. Format: include/uapi/linux/netfilter/nfnetlink_conntrack.h and net/netfilter/nf_conntrack_netlink.c,
// ctnetlink_fill_info() and ctnetlink_conntrack_event().
#pragma once

#include <linux/netfilter/nfnetlink_conntrack.h>

#include <array>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "netlink/messages.h"

namespace headgate::conntrack {

/// The positions of a flow's attributes in a message that the caller holds. Cheap: nothing is decoded yet.
class FlowMessage {
  public:
    /// `payload`: what follows the nlmsghdr, a nfgenmsg and attributes. An error names the invalid attribute.
    [[nodiscard]] static Result<FlowMessage> parse(netlink::Bytes payload);

    /// Whether the message is about IPv4 or IPv6. A Flow cannot represent other families.
    [[nodiscard]] static bool is_internet_family(netlink::Bytes payload) noexcept;

    [[nodiscard]] Result<FlowTuple> original_tuple() const;
    [[nodiscard]] Result<FlowTuple> reply_tuple() const;

    /// Decodes the whole message. Values not in the message are absent.
    [[nodiscard]] Result<Flow> decode() const;

    /// As decode(), for callers that have decoded the tuples.
    [[nodiscard]] Flow decode(const FlowTuple& original, const FlowTuple& reply) const;

    /// Updates `flow` from this later message. Values not in the message are kept.
    void update(Flow& flow) const;

    [[nodiscard]] std::uint32_t id() const noexcept { return netlink::read_big_endian<std::uint32_t>(at(CTA_ID)); }

  private:
    [[nodiscard]] netlink::Bytes at(std::size_t type) const noexcept { return attributes_[type]; }

    Family family_{};
    std::array<netlink::Bytes, CTA_LABELS + 1> attributes_;  ///< payloads by type (CTA_...); empty: not in the message
};

}  // namespace headgate::conntrack
