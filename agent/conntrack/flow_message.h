// What the kernel says about one flow: a ctnetlink message, found valid, then decoded as far as somebody asks.
// Pure functions on bytes; no sockets. Format: include/uapi/linux/netfilter/nfnetlink_conntrack.h and
// net/netfilter/nf_conntrack_netlink.c, ctnetlink_fill_info() and ctnetlink_conntrack_event().
#pragma once

#include "headgate/flow.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "netlink/attributes.h"

namespace headgate::conntrack {

/// Where the attributes of a flow lie in a message that somebody else holds. Cheap: nothing is decoded yet.
class FlowMessage {
  public:
    /// `payload` is what follows the nlmsghdr: a nfgenmsg and attributes. An error names the attribute that is wrong.
    [[nodiscard]] static Result<FlowMessage> parse(netlink::Bytes payload);

    /// Whether it is about IPv4 or IPv6 at all; other families have no place in a flow.
    [[nodiscard]] static bool is_internet_family(netlink::Bytes payload) noexcept;

    [[nodiscard]] Result<FlowTuple> original_tuple() const;
    [[nodiscard]] Result<FlowTuple> reply_tuple() const;

    /// Everything the message says. What it does not say is absent.
    [[nodiscard]] Result<Flow> decode() const;

    /// As decode(), for somebody who has the tuples already.
    [[nodiscard]] Flow decode(const FlowTuple& original, const FlowTuple& reply) const;

    /// Brings `flow` up to date with what this later message says of it; what it is silent about stays.
    void update(Flow& flow) const;

    [[nodiscard]] Result<FlowKey> key() const;
    [[nodiscard]] std::uint32_t id() const noexcept { return netlink::read_big_endian<std::uint32_t>(id_.payload); }

  private:
    Family family_{};
    netlink::Attribute tuple_original_, tuple_reply_, zone_, id_;
    netlink::Bytes status_, mark_, timeout_, protocol_info_, counters_original_, counters_reply_, timestamps_;
};

}  // namespace headgate::conntrack
