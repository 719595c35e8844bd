// SPDX-License-Identifier: GPL-2.0-or-later
// The ruleset as nf_tables itself holds it: tables, chains, sets and rules as in its netlink messages, rules as
// sequences of expressions (net/netfilter/nf_tables_api.c). Unlike nft's text it can be loaded elsewhere whatever
// program made it, and its rules keep their handles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "headgate/result.h"

#include "netlink/messages.h"

namespace headgate::rematch {

using ByteString = std::vector<std::byte>;

/// The payload of an attribute; empty if there is none of the type.
[[nodiscard]] netlink::Bytes bytes_in(netlink::Bytes attributes, std::uint16_t type);

[[nodiscard]] bool has(netlink::Bytes attributes, std::uint16_t type);

/// A 32-bit number in network byte order, as nf_tables writes them; 0 if there is none.
[[nodiscard]] std::uint32_t number_in(netlink::Bytes attributes, std::uint16_t type);

[[nodiscard]] std::string text_of(netlink::Bytes payload);  ///< up to the terminating NUL
[[nodiscard]] std::string text_in(netlink::Bytes attributes, std::uint16_t type);

/// One instruction of a rule. `data`: its attributes (NFTA_EXPR_DATA).
struct Expression {
    std::string name;
    ByteString data;

    friend bool operator==(const Expression&, const Expression&) = default;
};

/// The expressions of a list (NFTA_RULE_EXPRESSIONS).
[[nodiscard]] std::vector<Expression> parse_expressions(netlink::Bytes list);

/// A table, object or flowtable, with all its attributes.
struct NamedPart {
    std::uint8_t family = 0;
    std::string table;
    std::string name;  ///< empty for a table
    std::uint64_t handle = 0;
    ByteString attributes;
};

struct BaseChain {
    std::uint32_t hook = 0;
    std::int32_t priority = 0;
    bool drops = false;  ///< by policy
    std::vector<std::string> devices;
};

struct ChainBytecode : NamedPart {
    std::optional<BaseChain> base;
};

struct SetBytecode : NamedPart {
    std::uint32_t flags = 0;
    std::vector<ByteString> elements;  ///< the attributes of each
};

struct RuleBytecode {
    std::uint8_t family = 0;
    std::string table;
    std::string chain;
    std::uint64_t handle = 0;  ///< 0: unknown
    std::vector<Expression> expressions;
    ByteString user_data;
    std::string text;  ///< as nft lists it; empty: unknown
};

struct RulesetBytecode {
    std::vector<NamedPart> tables;
    std::vector<ChainBytecode> chains;
    std::vector<NamedPart> objects;
    std::vector<NamedPart> flowtables;
    std::vector<SetBytecode> sets;
    std::vector<RuleBytecode> rules;
};

/// Reads the messages of a dump. Their bytes may come from anyone: an error if they are not whole.
[[nodiscard]] Result<RulesetBytecode> parse_ruleset(netlink::Bytes messages);

/// `inet`, as nft calls it; a number, if it has no name.
[[nodiscard]] std::string family_name(std::uint8_t family);

}  // namespace headgate::rematch
