// SPDX-License-Identifier: GPL-2.0-or-later
// ctnetlink messages as the kernel sends them, byte by byte, for tests of the decoder. Written with libmnl, so that
// they do not depend on the code under test.
#pragma once

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cstring>
#include <string>
#include <vector>

#include "headgate/flow.h"

#include "netlink/messages.h"

namespace headgate::testing {

/// A message about one flow, as ctnetlink_fill_info() writes it.
class KernelMessage {
  public:
    explicit KernelMessage(const Flow& flow) : storage_(2048) {
        header_ = mnl_nlmsg_put_header(storage_.data());
        header_->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
        auto* const generic = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header_, sizeof(nfgenmsg)));
        v4_ = flow.original.source.family == Family::Ipv4;
        generic->nfgen_family = v4_ ? AF_INET : AF_INET6;
        put_tuple(CTA_TUPLE_ORIG, flow.original, flow.zone_direction == ZoneDirection::Original, flow.zone);
        put_tuple(CTA_TUPLE_REPLY, flow.reply, flow.zone_direction == ZoneDirection::Reply, flow.zone);
        put_rest(flow);
    }

    /// The message without its nlmsghdr.
    [[nodiscard]] std::vector<std::byte> payload() const {
        return {storage_.begin() + MNL_NLMSG_HDRLEN, storage_.begin() + header_->nlmsg_len};
    }

  private:
    void put_tuple(std::uint16_t type, const FlowTuple& tuple, bool with_zone, std::uint16_t zone) {
        auto* const nest = mnl_attr_nest_start(header_, type);
        auto* const addresses = mnl_attr_nest_start(header_, CTA_TUPLE_IP);
        const std::size_t size = v4_ ? 4 : 16;
        mnl_attr_put(header_, v4_ ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, size, tuple.source.octets.data());
        mnl_attr_put(header_, v4_ ? CTA_IP_V4_DST : CTA_IP_V6_DST, size, tuple.destination.octets.data());
        mnl_attr_nest_end(header_, addresses);
        auto* const transport = mnl_attr_nest_start(header_, CTA_TUPLE_PROTO);
        mnl_attr_put_u8(header_, CTA_PROTO_NUM, static_cast<std::uint8_t>(tuple.protocol));
        if (tuple.protocol == Protocol::Icmp || tuple.protocol == Protocol::Icmpv6) {
            mnl_attr_put_u16(header_, v4_ ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID, htons(tuple.icmp_id));
            mnl_attr_put_u8(header_, v4_ ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE, tuple.icmp_type);
            mnl_attr_put_u8(header_, v4_ ? CTA_PROTO_ICMP_CODE : CTA_PROTO_ICMPV6_CODE, tuple.icmp_code);
        } else {
            mnl_attr_put_u16(header_, CTA_PROTO_SRC_PORT, htons(tuple.source_port));
            mnl_attr_put_u16(header_, CTA_PROTO_DST_PORT, htons(tuple.destination_port));
        }
        mnl_attr_nest_end(header_, transport);
        if (with_zone) mnl_attr_put_u16(header_, CTA_TUPLE_ZONE, htons(zone));
        mnl_attr_nest_end(header_, nest);
    }

    void put_counters(std::uint16_t type, const std::optional<Counters>& counters) {
        if (!counters) return;
        auto* const nest = mnl_attr_nest_start(header_, type);
        mnl_attr_put_u64(header_, CTA_COUNTERS_PACKETS, htobe64(counters->packets));
        mnl_attr_put_u64(header_, CTA_COUNTERS_BYTES, htobe64(counters->bytes));
        mnl_attr_nest_end(header_, nest);
    }

    void put_rest(const Flow& flow) {
        if (flow.zone_direction == ZoneDirection::Both && flow.zone != 0) {
            mnl_attr_put_u16(header_, CTA_ZONE, htons(flow.zone));
        }
        mnl_attr_put_u32(header_, CTA_STATUS, htonl(flow.status));
        if (flow.timeout)
            mnl_attr_put_u32(header_, CTA_TIMEOUT, htonl(static_cast<std::uint32_t>(flow.timeout->count())));
        put_counters(CTA_COUNTERS_ORIG, flow.counters_original);
        put_counters(CTA_COUNTERS_REPLY, flow.counters_reply);
        if (flow.started) {
            auto* const times = mnl_attr_nest_start(header_, CTA_TIMESTAMP);
            mnl_attr_put_u64(header_, CTA_TIMESTAMP_START, nanoseconds(*flow.started));
            if (flow.stopped) mnl_attr_put_u64(header_, CTA_TIMESTAMP_STOP, nanoseconds(*flow.stopped));
            mnl_attr_nest_end(header_, times);
        }
        if (flow.protocol_state) {
            const bool tcp = flow.original.protocol == Protocol::Tcp;
            auto* const info = mnl_attr_nest_start(header_, CTA_PROTOINFO);
            auto* const inner = mnl_attr_nest_start(header_, tcp ? CTA_PROTOINFO_TCP : CTA_PROTOINFO_SCTP);
            constexpr std::uint16_t kTcpState = CTA_PROTOINFO_TCP_STATE;
            constexpr std::uint16_t kSctpState = CTA_PROTOINFO_SCTP_STATE;
            mnl_attr_put_u8(header_, tcp ? kTcpState : kSctpState, *flow.protocol_state);
            if (!tcp) mnl_attr_put_u32(header_, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, htonl(flow.sctp_tags[0]));
            if (!tcp) mnl_attr_put_u32(header_, CTA_PROTOINFO_SCTP_VTAG_REPLY, htonl(flow.sctp_tags[1]));
            mnl_attr_nest_end(header_, inner);
            mnl_attr_nest_end(header_, info);
        }
        if (flow.mark) mnl_attr_put_u32(header_, CTA_MARK, htonl(*flow.mark));
        if (flow.labels != Flow{}.labels) mnl_attr_put(header_, CTA_LABELS, flow.labels.size(), flow.labels.data());
        if (!helper_name(flow).empty()) {
            auto* const help = mnl_attr_nest_start(header_, CTA_HELP);
            mnl_attr_put_strz(header_, CTA_HELP_NAME, std::string{helper_name(flow)}.c_str());
            mnl_attr_nest_end(header_, help);
        }
        mnl_attr_put_u32(header_, CTA_ID, htonl(flow.id));
        mnl_attr_put_u32(header_, CTA_USE, htonl(1));
    }

    static std::uint64_t nanoseconds(Timestamp time) {
        return htobe64(static_cast<std::uint64_t>(time.time_since_epoch().count()));
    }

    std::vector<std::byte> storage_;
    nlmsghdr* header_;
    bool v4_ = true;
};

/// The attributes that identify a flow in a message, each with its padding: tuple, zone and id.
inline std::vector<std::byte> identity_in(netlink::Bytes payload) {
    std::vector<std::byte> bytes;
    netlink::Attribute attribute;
    for (netlink::AttributeReader reader{payload.subspan(sizeof(nfgenmsg))}; reader.next(attribute);) {
        if (attribute.type != CTA_TUPLE_ORIG && attribute.type != CTA_ZONE && attribute.type != CTA_ID) continue;
        bytes.insert(bytes.end(), attribute.whole.begin(), attribute.whole.end());
        bytes.resize(NLA_ALIGN(bytes.size()));
    }
    return bytes;
}

}  // namespace headgate::testing
