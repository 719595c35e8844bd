// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/ctnetlink_requests.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cerrno>
#include <string>

namespace headgate::conntrack {
namespace {

/// More than any request needs: an insert of an IPv6 flow with NAT has about 400 bytes.
constexpr std::size_t kLongestRequest = 1024;

std::uint8_t address_family(Family family) {
    return family == Family::Ipv4 ? AF_INET : AF_INET6;
}

void put_address(nlmsghdr* message, std::uint16_t type, const Address& address) {
    mnl_attr_put(message, type, address_octets(address.family), address.octets.data());
}

/// In the order in which the kernel reports the attributes (icmp_tuple_to_nlattr: the id first).
void put_transport(nlmsghdr* message, const FlowTuple& tuple) {
    const netlink::Nest nest{message, CTA_TUPLE_PROTO};
    mnl_attr_put_u8(message, CTA_PROTO_NUM, static_cast<std::uint8_t>(tuple.protocol));
    if (is_icmp(tuple.protocol)) {
        const bool v4 = tuple.protocol == Protocol::Icmp;
        mnl_attr_put_u16(message, v4 ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID, htons(tuple.icmp_id));
        mnl_attr_put_u8(message, v4 ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE, tuple.icmp_type);
        mnl_attr_put_u8(message, v4 ? CTA_PROTO_ICMP_CODE : CTA_PROTO_ICMPV6_CODE, tuple.icmp_code);
    } else if (has_ports(tuple.protocol) || tuple.protocol == Protocol::Gre) {
        mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(tuple.source_port));
        mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(tuple.destination_port));
    }
}

void put_tuple(nlmsghdr* message, std::uint16_t type, const FlowTuple& tuple, std::optional<std::uint16_t> zone) {
    const netlink::Nest nest{message, type};
    {
        const bool v4 = tuple.source.family == Family::Ipv4;
        const netlink::Nest addresses{message, CTA_TUPLE_IP};
        put_address(message, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.source);
        put_address(message, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.destination);
    }
    put_transport(message, tuple);
    if (zone) mnl_attr_put_u16(message, CTA_TUPLE_ZONE, htons(*zone));
}

void put_zone(nlmsghdr* message, std::uint16_t zone) {
    if (zone != 0) mnl_attr_put_u16(message, CTA_ZONE, htons(zone));
}

void put_zone_of(nlmsghdr* message, const Flow& flow) {
    if (flow.zone_direction == ZoneDirection::Both) put_zone(message, flow.zone);
}

std::optional<std::uint16_t> zone_inside(const Flow& flow, ZoneDirection direction) {
    return flow.zone_direction == direction ? std::optional{flow.zone} : std::nullopt;
}

/// Like the flags of a connection that the kernel picks up midstream: the history of its windows is unknown, so they
/// are not enforced (nf_conntrack_proto_tcp.c, tcp_new).
constexpr nf_ct_tcp_flags kPickedUp{IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_BE_LIBERAL,
                                    IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_BE_LIBERAL};

void put_state(nlmsghdr* message, const Flow& flow) {
    if (!flow.protocol_state) return;
    const netlink::Nest info{message, CTA_PROTOINFO};
    if (flow.original.protocol == Protocol::Tcp) {
        const netlink::Nest tcp{message, CTA_PROTOINFO_TCP};
        mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_STATE, *flow.protocol_state);
        mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof kPickedUp, &kPickedUp);
        mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof kPickedUp, &kPickedUp);
    } else if (flow.original.protocol == Protocol::Sctp) {
        // EINVAL unless all three are present (nf_conntrack_proto_sctp.c, nlattr_to_sctp).
        const netlink::Nest sctp{message, CTA_PROTOINFO_SCTP};
        mnl_attr_put_u8(message, CTA_PROTOINFO_SCTP_STATE, *flow.protocol_state);
        mnl_attr_put_u32(message, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, htonl(flow.sctp_tags[0]));
        mnl_attr_put_u32(message, CTA_PROTOINFO_SCTP_VTAG_REPLY, htonl(flow.sctp_tags[1]));
    }
}

/// Translation of one side. The kernel sets up NAT from it, not from the reply tuple (ctnetlink_setup_nat). Not written
/// by libnetfilter_conntrack, which knows translated ports of TCP and UDP alone (1.0.9, nfct_build_protonat).
/// `number`: the port, or ICMP's id, if there is one.
void put_translation(nlmsghdr* message, std::uint16_t type, const Address& address,
                     std::optional<std::uint16_t> number) {
    const netlink::Nest nest{message, type};
    put_address(message, address.family == Family::Ipv4 ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, address);
    if (!number) return;
    const netlink::Nest numbers{message, CTA_NAT_PROTO};
    mnl_attr_put_u16(message, CTA_PROTONAT_PORT_MIN, htons(*number));
    mnl_attr_put_u16(message, CTA_PROTONAT_PORT_MAX, htons(*number));
}

void put_nat(nlmsghdr* message, const Flow& flow) {
    const FlowTuple& original = flow.original;
    const FlowTuple& reply = flow.reply;
    const auto if_ports = [&](std::uint16_t port) {
        return has_ports(original.protocol) ? std::optional{port} : std::nullopt;
    };
    if (reply.source != original.destination || reply.source_port != original.destination_port) {
        put_translation(message, CTA_NAT_DST, reply.source, if_ports(reply.source_port));
    }
    if (reply.destination != original.source || reply.destination_port != original.source_port ||
        reply.icmp_id != original.icmp_id) {
        put_translation(message, CTA_NAT_SRC, reply.destination,
                        is_icmp(original.protocol) ? reply.icmp_id : if_ports(reply.destination_port));
    }
}

/// The reply tuple without NAT (nf_conntrack_core.c, nf_ct_invert_tuple).
FlowTuple plain_reply(const Flow& flow) {
    FlowTuple reply = swapped(flow.original);
    reply.icmp_type = flow.reply.icmp_type;
    reply.icmp_code = flow.reply.icmp_code;
    return reply;
}

/// The bits that ctnetlink allows a caller to set (ctnetlink_change_status); an entry is always confirmed.
std::uint32_t settable_status(std::uint32_t status) {
    return (status & (flow_status::kSeenReply | flow_status::kAssured)) | flow_status::kConfirmed;
}

/// Bit of CTA_FILTER_ORIG_FLAGS for the protocol number (net/netfilter/nf_internals.h, host order).
constexpr std::uint32_t kFilterProtocolNumber = 1U << 3U;

void put_kernel_filter(nlmsghdr* message, const KernelFilter& filter) {
    if (filter.mark) {  // both: until 5.7 the kernel ignored a mark without a mask
        mnl_attr_put_u32(message, CTA_MARK, htonl(filter.mark->value));
        mnl_attr_put_u32(message, CTA_MARK_MASK, htonl(filter.mark->mask));
    }
    if (filter.status) {
        mnl_attr_put_u32(message, CTA_STATUS, htonl(filter.status->value));
        mnl_attr_put_u32(message, CTA_STATUS_MASK, htonl(filter.status->mask));
    }
    if (filter.zone) mnl_attr_put_u16(message, CTA_ZONE, htons(*filter.zone));
    if (!filter.protocol) return;
    {
        const netlink::Nest tuple{message, CTA_TUPLE_ORIG};
        const netlink::Nest transport{message, CTA_TUPLE_PROTO};
        mnl_attr_put_u8(message, CTA_PROTO_NUM, static_cast<std::uint8_t>(*filter.protocol));
    }
    const netlink::Nest flags{message, CTA_FILTER};
    mnl_attr_put_u32(message, CTA_FILTER_ORIG_FLAGS, kFilterProtocolNumber);
    mnl_attr_put_u32(message, CTA_FILTER_REPLY_FLAGS, 0);
}

}  // namespace

nlmsghdr* RequestBatch::begin(std::uint8_t message, std::uint8_t family, std::uint16_t flags, std::uint32_t sequence) {
    return buffer_.begin({.type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8U | message),
                          .flags = flags,
                          .sequence = sequence,
                          .family = family},
                         kLongestRequest);
}

void RequestBatch::add_dump(const KernelFilter& filter, std::uint32_t sequence) {
    const std::uint8_t family = filter.family ? address_family(*filter.family) : std::uint8_t{AF_UNSPEC};
    nlmsghdr* const message = begin(IPCTNL_MSG_CT_GET, family, NLM_F_DUMP, sequence);
    put_kernel_filter(message, filter);
    buffer_.end(message);
}

void RequestBatch::add_lookup(const FlowTuple& tuple, std::uint16_t zone, std::uint32_t sequence) {
    nlmsghdr* const message = begin(IPCTNL_MSG_CT_GET, address_family(tuple.source.family), 0, sequence);
    put_tuple(message, CTA_TUPLE_ORIG, tuple, std::nullopt);
    put_zone(message, zone);
    buffer_.end(message);
}

void RequestBatch::add_identified(std::uint8_t message, std::uint16_t flags, const Flow& flow, std::uint32_t sequence) {
    nlmsghdr* const header = begin(message, address_family(flow.original.source.family), flags, sequence);
    put_tuple(header, CTA_TUPLE_ORIG, flow.original, zone_inside(flow, ZoneDirection::Original));
    put_zone_of(header, flow);
    mnl_attr_put_u32(header, CTA_ID, htonl(flow.id));
    buffer_.end(header);
}

void RequestBatch::add_lookup(const Flow& flow, std::uint32_t sequence) {
    add_identified(IPCTNL_MSG_CT_GET, 0, flow, sequence);
}

void RequestBatch::add_delete(const Flow& flow, std::uint32_t sequence) {
    add_identified(IPCTNL_MSG_CT_DELETE, NLM_F_ECHO, flow, sequence);
}

void RequestBatch::add_insert(const Flow& flow, std::uint32_t sequence) {
    constexpr std::uint16_t kFlags = NLM_F_CREATE | NLM_F_EXCL;
    nlmsghdr* const message = begin(IPCTNL_MSG_CT_NEW, address_family(flow.original.source.family), kFlags, sequence);
    put_tuple(message, CTA_TUPLE_ORIG, flow.original, zone_inside(flow, ZoneDirection::Original));
    put_tuple(message, CTA_TUPLE_REPLY, plain_reply(flow), zone_inside(flow, ZoneDirection::Reply));
    put_zone_of(message, flow);
    const auto timeout = static_cast<std::uint32_t>(flow.timeout.value_or(std::chrono::seconds{0}).count());
    mnl_attr_put_u32(message, CTA_TIMEOUT, htonl(timeout));
    mnl_attr_put_u32(message, CTA_STATUS, htonl(settable_status(flow.status)));
    if (flow.mark) mnl_attr_put_u32(message, CTA_MARK, htonl(*flow.mark));
    put_state(message, flow);
    put_nat(message, flow);
    if (flow.labels != Flow{}.labels) mnl_attr_put(message, CTA_LABELS, flow.labels.size(), flow.labels.data());
    if (const auto helper = helper_name(flow); !helper.empty()) {
        const netlink::Nest help{message, CTA_HELP};
        mnl_attr_put_strz(message, CTA_HELP_NAME, std::string{helper}.c_str());
    }
    buffer_.end(message);
}

void RequestBatch::add_end_marker(std::uint32_t sequence) {
    nlmsghdr* const message = begin(0, AF_UNSPEC, NLM_F_ACK, sequence);
    message->nlmsg_type = NLMSG_NOOP;
    buffer_.end(message);
}

tl::unexpected<Error> conntrack_error(int number) {
    if (number == EPERM) {
        return tl::unexpected(Error{
            ErrorKind::Unprivileged,
            "reading the conntrack table needs CAP_NET_ADMIN: use sudo, or start the agent and join group headgate",
            EPERM});
    }
    return system_error(number, "reading the conntrack table");
}

}  // namespace headgate::conntrack
