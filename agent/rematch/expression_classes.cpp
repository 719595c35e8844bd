// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/expression_classes.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_hashlimit.h>
#include <linux/netfilter/xt_tcpudp.h>

#include <algorithm>
#include <string_view>

#include "rematch/expressions.h"

namespace headgate::rematch {
namespace {

using netlink::Bytes;

ExpressionClass undecidable(std::string reason, std::uint8_t ways = packet_way::kAny) {
    return {Treatment::Undecidable, std::move(reason), ways};
}

ExpressionClass omitted() {
    return {Treatment::Omitted};
}

ExpressionClass limit(std::string reason, bool over) {
    return {over ? Treatment::OverLimit : Treatment::Limit, std::move(reason)};
}

/// Of an own flag of limit, quota and connlimit, which all have the inversion in bit 0 (NFT_LIMIT_F_INV,
/// NFT_QUOTA_F_INV, NFT_CONNLIMIT_F_INV).
bool is_over(Bytes data, std::uint16_t flags) {
    return (number_in(data, flags) & 1U) != 0;
}

/// Whether the expression keeps no more than these bits of what the one before it loaded.
bool keeps_within(const Expression* next, std::span<const std::uint8_t> bits) {
    if (next == nullptr || next->name != "bitwise") return false;
    const Bytes mask = bytes_in(bytes_in(next->data, NFTA_BITWISE_MASK), NFTA_DATA_VALUE);
    if (mask.size() != bits.size()) return false;
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if ((std::to_integer<std::uint8_t>(mask[i]) & ~bits[i]) != 0) return false;
    }
    return true;
}

/// Whether a probe has these bytes as the connection's first packet had, in each family of packets that reach the rule.
ExpressionClass classify_network_header(std::uint32_t offset, std::uint32_t length, PacketKind kind,
                                        const Expression* next) {
    const auto end = offset + length;
    // A first packet is no fragment, but may have the flag that forbids fragments.
    constexpr std::uint8_t kFragment[] = {0x3f, 0xff};
    const bool fragment = offset == 6 && length == 2 && keeps_within(next, kFragment);
    // Version and header length (there are no options), protocol, addresses.
    const bool exact4 =
        fragment || (offset == 0 && length == 1) || (offset == 9 && length == 1) || (offset >= 12 && end <= 20);
    const bool exact6 = (offset == 6 && length == 1) || (offset >= 8 && end <= 40);  // next header, addresses
    const bool exact = kind.network == NFPROTO_IPV4 ? exact4 : kind.network == NFPROTO_IPV6 ? exact6 : exact4 && exact6;
    if (exact) return {};
    return undecidable(fmt::format("network header, {} bytes at {}", length, offset));
}

ExpressionClass classify_transport_header(std::uint32_t offset, std::uint32_t length, PacketKind kind) {
    const auto end = offset + length;
    const bool icmp = kind.transport == IPPROTO_ICMP || kind.transport == IPPROTO_ICMPV6;
    const bool ports = !icmp && end <= 4;
    const bool type_or_id = icmp && (end <= 2 || (offset == 4 && length == 2));
    const bool tcp_flags = kind.transport == IPPROTO_TCP && offset == 13 && length == 1;
    if (ports || type_or_id || tcp_flags) return {};
    return undecidable(fmt::format("transport header, {} bytes at {}", length, offset));
}

ExpressionClass classify_payload(Bytes data, PacketKind kind, const Expression* next) {
    const auto base = number_in(data, NFTA_PAYLOAD_BASE);
    const auto offset = number_in(data, NFTA_PAYLOAD_OFFSET);
    const auto length = number_in(data, NFTA_PAYLOAD_LEN);
    if (length > 64 || offset > 4096) return undecidable("payload");
    if (has(data, NFTA_PAYLOAD_SREG)) {
        // DSCP and ECN decide nothing later: reading them is undecidable.
        if (base == NFT_PAYLOAD_NETWORK_HEADER && offset + length <= 2) return omitted();
        return undecidable("a write to the packet");
    }
    switch (base) {
        case NFT_PAYLOAD_NETWORK_HEADER:
            return classify_network_header(offset, length, kind, next);
        case NFT_PAYLOAD_TRANSPORT_HEADER:
            return classify_transport_header(offset, length, kind);
        case NFT_PAYLOAD_LL_HEADER:
            if (offset == 12 && length == 2) return {};  // EtherType
            return undecidable("link layer header");
        default:
            return undecidable("payload");
    }
}

ExpressionClass classify_ct(Bytes data) {
    const auto key = number_in(data, NFTA_CT_KEY);
    if (has(data, NFTA_CT_SREG)) {
        if (key == NFT_CT_MARK || key == NFT_CT_LABELS || key == NFT_CT_ZONE) return {};
        if (key == NFT_CT_SECMARK || key == NFT_CT_EVENTMASK) return omitted();
        return undecidable("ct set");
    }
    switch (key) {
        case NFT_CT_STATE:
        case NFT_CT_DIRECTION:
        case NFT_CT_STATUS:
        case NFT_CT_HELPER:
        case NFT_CT_L3PROTOCOL:
        case NFT_CT_SRC:
        case NFT_CT_DST:
        case NFT_CT_PROTOCOL:
        case NFT_CT_PROTO_SRC:
        case NFT_CT_PROTO_DST:
        case NFT_CT_ZONE:
        case NFT_CT_SRC_IP:
        case NFT_CT_DST_IP:
        case NFT_CT_SRC_IP6:
        case NFT_CT_DST_IP6:
            return {};
        case NFT_CT_MARK:
            return {Treatment::CtMark, "ct mark"};
        case NFT_CT_LABELS:
            return {Treatment::CtLabels, "ct label"};
        case NFT_CT_EXPIRATION:
            return undecidable("ct expiration");
        case NFT_CT_PKTS:
            return undecidable("ct packets");
        case NFT_CT_BYTES:
            return undecidable("ct bytes");
        case NFT_CT_AVGPKT:
            return undecidable("ct avgpkt");
        case NFT_CT_ID:
            return undecidable("ct id");
        default:
            return undecidable(fmt::format("ct key {}", key));
    }
}

ExpressionClass classify_rt(Bytes data) {
    const auto key = number_in(data, NFTA_RT_KEY);
    if (key == NFT_RT_NEXTHOP4 || key == NFT_RT_NEXTHOP6) return {};
    return undecidable(key == NFT_RT_CLASSID ? "rt classid" : key == NFT_RT_TCPMSS ? "rt mtu" : "rt");
}

ExpressionClass classify_hash(Bytes data) {
    if (number_in(data, NFTA_HASH_TYPE) == NFT_HASH_JENKINS && has(data, NFTA_HASH_SEED)) return {};
    return undecidable(number_in(data, NFTA_HASH_TYPE) == NFT_HASH_SYM ? "symhash" : "jhash without a seed");
}

/// The beginning of an xt match's own structure; false if it is shorter.
template <typename Structure>
bool read_structure(Bytes info, Structure& structure) {
    if (info.size() < sizeof structure) return false;
    std::memcpy(&structure, info.data(), sizeof structure);
    return true;
}

/// Whether the match of iptables depends on what a probe has.
ExpressionClass classify_match(Bytes data) {
    const auto name = text_in(data, NFTA_MATCH_NAME);
    const auto revision = number_in(data, NFTA_MATCH_REV);
    const Bytes info = bytes_in(data, NFTA_MATCH_INFO);
    constexpr std::string_view kExact[] = {"addrtype", "comment", "icmp", "icmp6", "multiport", "state", "udp"};
    if (std::ranges::find(kExact, name) != std::end(kExact)) return {};
    if (name == "tcp") {
        xt_tcp tcp{};
        return read_structure(info, tcp) && tcp.option == 0 ? ExpressionClass{} : undecidable("xt tcp option");
    }
    if (name == "conntrack") {
        xt_conntrack_mtinfo2 conntrack{};  // revision 3 begins with it
        const bool known = (revision == 2 || revision == 3) && read_structure(info, conntrack);
        return known && (conntrack.match_flags & XT_CONNTRACK_EXPIRES) == 0 ? ExpressionClass{}
                                                                            : undecidable("xt conntrack");
    }
    if (name == "mark") return {Treatment::PacketMark, "meta mark", packet_way::kOutput};
    if (name == "connmark") return {Treatment::CtMark, "ct mark"};
    if (name == "limit") return limit("xt limit", false);
    if (name == "hashlimit") {
        xt_hashlimit_mtinfo1 first{};
        xt_hashlimit_mtinfo2 later{};  // as far as the mode, revision 3 is the same
        const bool known = revision == 1 ? read_structure(info, first) : revision <= 3 && read_structure(info, later);
        if (!known || revision == 0) return undecidable("xt hashlimit");
        const auto mode = revision == 1 ? first.cfg.mode : later.cfg.mode;
        return limit("xt hashlimit", (mode & XT_HASHLIMIT_INVERT) != 0);
    }
    if (name == "owner" || name == "cgroup") {
        return undecidable("xt " + name, packet_way::kOutput | packet_way::kInput);
    }
    return undecidable("xt " + name);
}

ExpressionClass classify_target(Bytes data) {
    const auto name = text_in(data, NFTA_TARGET_NAME);
    constexpr std::string_view kExact[] = {"CONNMARK", "DNAT", "MARK", "MASQUERADE", "REDIRECT", "SNAT"};
    constexpr std::string_view kOmitted[] = {"AUDIT", "CHECKSUM", "CLASSIFY", "DSCP", "LOG",
                                             "NFLOG", "TCPMSS",   "TOS",      "TRACE"};
    if (std::ranges::find(kExact, name) != std::end(kExact)) return {};
    if (std::ranges::find(kOmitted, name) != std::end(kOmitted)) return omitted();
    if (name == "REJECT") return {Treatment::Reject};
    return undecidable("xt " + name);
}

constexpr std::string_view kExactExpressions[] = {"bitwise", "byteorder", "cmp",   "fib",   "immediate",
                                                  "masq",    "nat",       "range", "redir", "notrack"};
constexpr std::string_view kOmittedExpressions[] = {"counter", "dup", "flow_offload", "last", "log"};

/// Whether an expression of a set's elements limits them, and whether it is true above the limit.
std::optional<bool> limit_inversion(const Expression& expression) {
    if (expression.name == "limit") return is_over(expression.data, NFTA_LIMIT_FLAGS);
    if (expression.name == "quota") return is_over(expression.data, NFTA_QUOTA_FLAGS);
    if (expression.name == "connlimit") return is_over(expression.data, NFTA_CONNLIMIT_FLAGS);
    return std::nullopt;
}

/// The expressions that stand alone (`single`) and in a list (`list`) among the attributes.
std::vector<Expression> attached_expressions(Bytes attributes, std::uint16_t single, std::uint16_t list) {
    auto expressions = parse_expressions(bytes_in(attributes, list));
    if (has(attributes, single)) {
        const Bytes element = bytes_in(attributes, single);
        const Bytes data = bytes_in(element, NFTA_EXPR_DATA);
        expressions.push_back({text_in(element, NFTA_EXPR_NAME), {data.begin(), data.end()}});
    }
    return expressions;
}

}  // namespace

ExpressionClasses::ExpressionClasses(const RulesetBytecode& ruleset, bool other_link_types)
    : other_link_types_(other_link_types) {
    for (const auto& rule : ruleset.rules) {
        for (const auto& expression : rule.expressions) {
            const auto name = [&](std::uint16_t type) {
                return Name{rule.family, rule.table, text_in(expression.data, type)};
            };
            if (expression.name == "dynset") written_.insert(name(NFTA_DYNSET_SET_NAME));
            if (expression.name == "lookup") read_.insert(name(NFTA_LOOKUP_SET));
            if (expression.name == "objref") read_.insert(name(NFTA_OBJREF_SET_NAME));
        }
    }
    for (const auto& set : ruleset.sets) {
        const Name name{set.family, set.table, set.name};
        object_maps_[name] = number_in(set.attributes, NFTA_SET_OBJ_TYPE);
        for (const auto& expression : attached_expressions(set.attributes, NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS)) {
            if (const auto over = limit_inversion(expression)) limiting_[name] |= *over;
        }
    }
    for (const auto& object : ruleset.objects) {
        const Bytes data = bytes_in(object.attributes, NFTA_OBJ_DATA);
        const auto type = number_in(object.attributes, NFTA_OBJ_TYPE);
        const bool over = type == NFT_OBJECT_LIMIT ? is_over(data, NFTA_LIMIT_FLAGS) : is_over(data, NFTA_QUOTA_FLAGS);
        inverted_[{Name{object.family, object.table, object.name}, type}] = over;
    }
}

PacketKind packet_kind_before(const RuleBytecode& rule, std::size_t index) {
    enum class Loaded : std::uint8_t { Other, Network, EtherType, Transport } loaded = Loaded::Other;
    PacketKind kind;
    if (rule.family == NFPROTO_IPV4 || rule.family == NFPROTO_IPV6) kind.network = rule.family;
    for (std::size_t i = 0; i < index; ++i) {
        const auto& [name, data] = rule.expressions[i];
        const bool equal = name == "cmp" && number_in(data, NFTA_CMP_OP) == NFT_CMP_EQ;
        const Bytes value = bytes_in(bytes_in(data, NFTA_CMP_DATA), NFTA_DATA_VALUE);
        if (equal && value.size() == 1 && loaded == Loaded::Network)
            kind.network = std::to_integer<std::uint8_t>(value[0]);
        if (equal && value.size() == 1 && loaded == Loaded::Transport)
            kind.transport = std::to_integer<std::uint8_t>(value[0]);
        if (equal && loaded == Loaded::EtherType) {
            const auto type = netlink::read_big_endian<std::uint16_t>(value);
            if (type == ETH_P_IP) kind.network = NFPROTO_IPV4;
            if (type == ETH_P_IPV6) kind.network = NFPROTO_IPV6;
        }
        loaded = Loaded::Other;
        const auto key = number_in(data, NFTA_META_KEY);
        if (name == "meta" && key == NFT_META_NFPROTO) loaded = Loaded::Network;
        if (name == "meta" && key == NFT_META_PROTOCOL) loaded = Loaded::EtherType;
        if (name == "meta" && key == NFT_META_L4PROTO) loaded = Loaded::Transport;
        const auto protocol_offset = kind.network == NFPROTO_IPV6 ? 6U : 9U;
        if (name == "payload" && kind.network != 0 && number_in(data, NFTA_PAYLOAD_LEN) == 1 &&
            number_in(data, NFTA_PAYLOAD_BASE) == NFT_PAYLOAD_NETWORK_HEADER &&
            number_in(data, NFTA_PAYLOAD_OFFSET) == protocol_offset) {
            loaded = Loaded::Transport;
        }
    }
    return kind;
}

ExpressionClass ExpressionClasses::classify(const RuleBytecode& rule, std::size_t index) const {
    const auto& expression = rule.expressions[index];
    const auto* const next = index + 1 < rule.expressions.size() ? &rule.expressions[index + 1] : nullptr;
    const Bytes data = expression.data;
    const auto& name = expression.name;
    if (std::ranges::find(kExactExpressions, name) != std::end(kExactExpressions)) return {};
    if (std::ranges::find(kOmittedExpressions, name) != std::end(kOmittedExpressions)) return omitted();
    if (name == "reject") return {Treatment::Reject};
    if (name == "payload") return classify_payload(data, packet_kind_before(rule, index), next);
    if (name == "meta") return classify_meta(data);
    if (name == "ct") return classify_ct(data);
    if (name == "lookup") return classify_lookup(rule, data);
    if (name == "dynset") return classify_dynset(rule, data);
    if (name == "objref") return classify_object(rule, data);
    if (name == "rt") return classify_rt(data);
    if (name == "hash") return classify_hash(data);
    if (name == "match") return classify_match(data);
    if (name == "target") return classify_target(data);
    if (name == "limit") return limit("limit", is_over(data, NFTA_LIMIT_FLAGS));
    if (name == "quota") return limit("quota", is_over(data, NFTA_QUOTA_FLAGS));
    if (name == "connlimit") return limit("ct count", is_over(data, NFTA_CONNLIMIT_FLAGS));
    if (name == "exthdr") {
        // A write changes an option of TCP, which reading makes undecidable.
        return only_reads(expression) ? undecidable("an option or extension header") : omitted();
    }
    if (name == "socket") return undecidable("socket");
    return undecidable(name);
}

ExpressionClass ExpressionClasses::classify_lookup(const RuleBytecode& rule, Bytes data) const {
    const auto set = text_in(data, NFTA_LOOKUP_SET);
    const Name name{rule.family, rule.table, set};
    // The elements are copied without their limits, so only a look-up could show that there is one to be exceeded.
    if (limiting_.contains(name)) return undecidable(fmt::format("a limit of an element of {}", set));
    if (written_.contains(name)) {
        return {Treatment::SetRead, fmt::format("set {}, to which rules add", set), packet_way::kAny, set};
    }
    return {};
}

ExpressionClass ExpressionClasses::classify_dynset(const RuleBytecode& rule, Bytes data) const {
    const auto set = text_in(data, NFTA_DYNSET_SET_NAME);
    std::optional<bool> over;
    for (const auto& expression : attached_expressions(data, NFTA_DYNSET_EXPR, NFTA_DYNSET_EXPRESSIONS)) {
        if (const auto inverted = limit_inversion(expression)) over = over.value_or(false) || *inverted;
    }
    const Name name{rule.family, rule.table, set};
    if (const auto found = limiting_.find(name); found != limiting_.end()) over = over.value_or(false) || found->second;
    if (over && read_.contains(name)) return undecidable(fmt::format("set {}, to which rules add", set));
    if (over) return limit(fmt::format("a limit per element of {}", set), *over);
    const auto operation = number_in(data, NFTA_DYNSET_OP);
    if (operation != NFT_DYNSET_OP_ADD && operation != NFT_DYNSET_OP_UPDATE) {
        return undecidable(fmt::format("a deletion from set {}", set));
    }
    if (!read_.contains(name)) return omitted();
    return {Treatment::SetWrite, fmt::format("set {}, to which rules add", set), packet_way::kAny, set};
}

ExpressionClass ExpressionClasses::classify_meta(Bytes data) const {
    const auto key = number_in(data, NFTA_META_KEY);
    if (has(data, NFTA_META_SREG)) {
        if (key == NFT_META_MARK) return {};
        if (key == NFT_META_PRIORITY || key == NFT_META_NFTRACE || key == NFT_META_SECMARK) return omitted();
        return undecidable("meta set");
    }
    switch (key) {
        case NFT_META_PROTOCOL:
        case NFT_META_NFPROTO:
        case NFT_META_L4PROTO:
        case NFT_META_IIF:
        case NFT_META_OIF:
        case NFT_META_IIFNAME:
        case NFT_META_OIFNAME:
        case NFT_META_IIFGROUP:
        case NFT_META_OIFGROUP:
        case NFT_META_PKTTYPE:
        case NFT_META_TIME_NS:
        case NFT_META_TIME_DAY:
        case NFT_META_TIME_HOUR:
            return {};
        case NFT_META_IIFTYPE:
        case NFT_META_OIFTYPE:
            return other_link_types_ ? undecidable("meta iiftype") : ExpressionClass{};
        case NFT_META_MARK:
            return {Treatment::PacketMark, "meta mark", packet_way::kOutput};
        case NFT_META_SKUID:
        case NFT_META_SKGID:
        case NFT_META_CGROUP:
            return undecidable("the socket's owner", packet_way::kOutput | packet_way::kInput);
        case NFT_META_LEN:
            return undecidable("meta length");
        case NFT_META_PRIORITY:
            return undecidable("meta priority");
        case NFT_META_PRANDOM:
            return undecidable("meta random");
        case NFT_META_CPU:
            return undecidable("meta cpu");
        default:
            return undecidable(fmt::format("meta key {}", key));
    }
}

ExpressionClass ExpressionClasses::classify_object(const RuleBytecode& rule, Bytes data) const {
    if (!has(data, NFTA_OBJREF_IMM_TYPE)) {
        const auto found = object_maps_.find({rule.family, rule.table, text_in(data, NFTA_OBJREF_SET_NAME)});
        if (found != object_maps_.end() && found->second == NFT_OBJECT_COUNTER) return omitted();
        return undecidable("a map of objects");
    }
    const auto type = number_in(data, NFTA_OBJREF_IMM_TYPE);
    switch (type) {
        case NFT_OBJECT_COUNTER:
        case NFT_OBJECT_SECMARK:
        case NFT_OBJECT_CT_EXPECT:
        case NFT_OBJECT_CT_TIMEOUT:
            return omitted();
        case NFT_OBJECT_CT_HELPER:
            return {};
        case NFT_OBJECT_LIMIT:
        case NFT_OBJECT_QUOTA: {
            const auto name = text_in(data, NFTA_OBJREF_IMM_NAME);
            const auto found = inverted_.find({Name{rule.family, rule.table, name}, type});
            if (found == inverted_.end()) return undecidable("an object that does not exist");
            return limit(fmt::format("{} {}", type == NFT_OBJECT_LIMIT ? "limit" : "quota", name), found->second);
        }
        default:
            return undecidable("an object");
    }
}

}  // namespace headgate::rematch
