// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/bytecode.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace headgate::rematch {

using netlink::Attribute;
using netlink::Bytes;
using netlink::for_each_attribute;
using netlink::read_big_endian;

Bytes bytes_in(Bytes attributes, std::uint16_t type) {
    return netlink::find_attribute(attributes, type).value_or(Bytes{});
}

bool has(Bytes attributes, std::uint16_t type) {
    return netlink::find_attribute(attributes, type).has_value();
}

std::uint32_t number_in(Bytes attributes, std::uint16_t type) {
    return read_big_endian<std::uint32_t>(bytes_in(attributes, type));
}

std::string text_of(Bytes payload) {
    const auto end = std::ranges::find(payload, std::byte{0});
    return {reinterpret_cast<const char*>(payload.data()), static_cast<std::size_t>(end - payload.begin())};
}

std::string text_in(Bytes attributes, std::uint16_t type) {
    return text_of(bytes_in(attributes, type));
}

std::vector<Expression> parse_expressions(Bytes list) {
    std::vector<Expression> expressions;
    for_each_attribute(list, [&](const Attribute& element) {
        if (element.type != NFTA_LIST_ELEM) return;
        const Bytes data = bytes_in(element.payload, NFTA_EXPR_DATA);
        expressions.push_back({text_in(element.payload, NFTA_EXPR_NAME), {data.begin(), data.end()}});
    });
    return expressions;
}

namespace {

struct PartTypes {
    std::uint16_t table;
    std::uint16_t name;
    std::uint16_t handle;
};

NamedPart parse_part(std::uint8_t family, Bytes attributes, const PartTypes& types) {
    NamedPart part;
    part.family = family;
    part.table = text_in(attributes, types.table);
    if (types.name != types.table) part.name = text_in(attributes, types.name);
    part.handle = read_big_endian<std::uint64_t>(bytes_in(attributes, types.handle));
    part.attributes.assign(attributes.begin(), attributes.end());
    return part;
}

ChainBytecode parse_chain(std::uint8_t family, Bytes attributes) {
    ChainBytecode chain{parse_part(family, attributes, {NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HANDLE}), {}};
    if (!has(attributes, NFTA_CHAIN_HOOK)) return chain;
    const Bytes hook = bytes_in(attributes, NFTA_CHAIN_HOOK);
    auto& base = chain.base.emplace();
    base.hook = number_in(hook, NFTA_HOOK_HOOKNUM);
    base.priority = static_cast<std::int32_t>(number_in(hook, NFTA_HOOK_PRIORITY));
    base.drops = has(attributes, NFTA_CHAIN_POLICY) && number_in(attributes, NFTA_CHAIN_POLICY) == NF_DROP;
    for_each_attribute(bytes_in(hook, NFTA_HOOK_DEVS),
                       [&](const Attribute& device) { base.devices.push_back(text_of(device.payload)); });
    if (base.devices.empty() && has(hook, NFTA_HOOK_DEV)) base.devices.push_back(text_in(hook, NFTA_HOOK_DEV));
    return chain;
}

RuleBytecode parse_rule(std::uint8_t family, Bytes attributes) {
    RuleBytecode rule;
    rule.family = family;
    rule.table = text_in(attributes, NFTA_RULE_TABLE);
    rule.chain = text_in(attributes, NFTA_RULE_CHAIN);
    rule.handle = read_big_endian<std::uint64_t>(bytes_in(attributes, NFTA_RULE_HANDLE));
    rule.expressions = parse_expressions(bytes_in(attributes, NFTA_RULE_EXPRESSIONS));
    const Bytes user_data = bytes_in(attributes, NFTA_RULE_USERDATA);
    rule.user_data.assign(user_data.begin(), user_data.end());
    return rule;
}

class RulesetParser {
  public:
    void add(int message, std::uint8_t family, Bytes attributes) {
        switch (message) {
            case NFT_MSG_NEWTABLE:
                ruleset_.tables.push_back(
                    parse_part(family, attributes, {NFTA_TABLE_NAME, NFTA_TABLE_NAME, NFTA_TABLE_HANDLE}));
                break;
            case NFT_MSG_NEWCHAIN:
                ruleset_.chains.push_back(parse_chain(family, attributes));
                break;
            case NFT_MSG_NEWOBJ:
                ruleset_.objects.push_back(
                    parse_part(family, attributes, {NFTA_OBJ_TABLE, NFTA_OBJ_NAME, NFTA_OBJ_HANDLE}));
                break;
            case NFT_MSG_NEWFLOWTABLE:
                ruleset_.flowtables.push_back(
                    parse_part(family, attributes, {NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME, NFTA_FLOWTABLE_HANDLE}));
                break;
            case NFT_MSG_NEWSET:
                add_set(family, attributes);
                break;
            case NFT_MSG_NEWSETELEM:
                add_elements(family, attributes);
                break;
            case NFT_MSG_NEWRULE:
                ruleset_.rules.push_back(parse_rule(family, attributes));
                break;
            default:
                break;
        }
    }

    [[nodiscard]] RulesetBytecode finish() && { return std::move(ruleset_); }

  private:
    void add_set(std::uint8_t family, Bytes attributes) {
        SetBytecode set{parse_part(family, attributes, {NFTA_SET_TABLE, NFTA_SET_NAME, NFTA_SET_HANDLE}), 0, {}};
        set.flags = number_in(attributes, NFTA_SET_FLAGS);
        sets_[{family, set.table, set.name}] = ruleset_.sets.size();
        ruleset_.sets.push_back(std::move(set));
    }

    void add_elements(std::uint8_t family, Bytes attributes) {
        const auto found = sets_.find(
            {family, text_in(attributes, NFTA_SET_ELEM_LIST_TABLE), text_in(attributes, NFTA_SET_ELEM_LIST_SET)});
        if (found == sets_.end()) return;
        auto& elements = ruleset_.sets[found->second].elements;
        for_each_attribute(bytes_in(attributes, NFTA_SET_ELEM_LIST_ELEMENTS), [&](const Attribute& element) {
            elements.emplace_back(element.payload.begin(), element.payload.end());
        });
    }

    RulesetBytecode ruleset_;
    std::map<std::tuple<std::uint8_t, std::string, std::string>, std::size_t> sets_;
};

}  // namespace

Result<RulesetBytecode> parse_ruleset(Bytes messages) {
    RulesetParser parser;
    netlink::MessageReader reader{messages};
    for (netlink::Message message; reader.next(message);) {
        if (message.header.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || message.payload.size() < sizeof(nfgenmsg)) {
            continue;
        }
        parser.add(message.header.nlmsg_type & 0xff, std::to_integer<std::uint8_t>(message.payload[0]),
                   message.payload.subspan(sizeof(nfgenmsg)));
    }
    if (!reader.at_end()) return make_error(ErrorKind::Damaged, "the copy of the ruleset is cut short");
    return std::move(parser).finish();
}

std::string family_name(std::uint8_t family) {
    switch (family) {
        case NFPROTO_INET:
            return "inet";
        case NFPROTO_IPV4:
            return "ip";
        case NFPROTO_IPV6:
            return "ip6";
        case NFPROTO_ARP:
            return "arp";
        case NFPROTO_NETDEV:
            return "netdev";
        case NFPROTO_BRIDGE:
            return "bridge";
        default:
            return fmt::format("{}", family);
    }
}

}  // namespace headgate::rematch
