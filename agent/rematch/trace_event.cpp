// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/trace_event.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "rematch/bytecode.h"

namespace headgate::rematch {
namespace {

using netlink::Attribute;
using netlink::Bytes;
using netlink::read_big_endian;

std::string_view view_of(Bytes payload) {
    const std::string_view text{reinterpret_cast<const char*>(payload.data()), payload.size()};
    return text.substr(0, text.find('\0'));
}

std::optional<TraceKind> kind_of(std::uint32_t type) {
    switch (type) {
        case NFT_TRACETYPE_RULE:
            return TraceKind::Rule;
        case NFT_TRACETYPE_POLICY:
            return TraceKind::Policy;
        case NFT_TRACETYPE_RETURN:
            return TraceKind::Return;
        default:
            return std::nullopt;
    }
}

}  // namespace

std::optional<TraceEvent> parse_trace_event(const netlink::Message& message) {
    if (!message.is(NFNL_SUBSYS_NFTABLES, NFT_MSG_TRACE) || message.payload.size() < sizeof(nfgenmsg)) {
        return std::nullopt;
    }
    TraceEvent event;
    std::optional<TraceKind> kind;
    Bytes network;
    Bytes transport;
    event.family = std::to_integer<std::uint8_t>(message.payload[0]);
    netlink::for_each_attribute(message.payload.subspan(sizeof(nfgenmsg)), [&](const Attribute& attribute) {
        const Bytes payload = attribute.payload;
        switch (attribute.type) {
            case NFTA_TRACE_TABLE:
                event.table = view_of(payload);
                break;
            case NFTA_TRACE_CHAIN:
                event.chain = view_of(payload);
                break;
            case NFTA_TRACE_RULE_HANDLE:
                event.rule_handle = read_big_endian<std::uint64_t>(payload);
                break;
            case NFTA_TRACE_TYPE:
                kind = kind_of(read_big_endian<std::uint32_t>(payload));
                break;
            case NFTA_TRACE_VERDICT:
                if (has(payload, NFTA_VERDICT_CODE)) {
                    event.verdict = static_cast<std::int32_t>(number_in(payload, NFTA_VERDICT_CODE));
                }
                break;
            case NFTA_TRACE_POLICY:
                event.policy = read_big_endian<std::uint32_t>(payload);
                break;
            case NFTA_TRACE_ID:
                event.packet = read_big_endian<std::uint32_t>(payload);
                break;
            case NFTA_TRACE_NETWORK_HEADER:
                network = payload;
                break;
            case NFTA_TRACE_TRANSPORT_HEADER:
                transport = payload;
                break;
            default:
                break;
        }
    });
    if (!kind) return std::nullopt;
    event.kind = *kind;
    event.has_headers = !network.empty();
    if (event.has_headers) event.probe = read_probe(network, transport);
    return event;
}

}  // namespace headgate::rematch
