// SPDX-License-Identifier: GPL-2.0-or-later
// Builds expressions and rules of nf_tables for tests.
#pragma once

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "netlink/message_writer.h"
#include "rematch/bytecode.h"

namespace headgate::testing {

/// An expression with numbers as attributes.
inline rematch::Expression expression(std::string name,
                                      std::initializer_list<std::pair<std::uint16_t, std::uint32_t>> numbers = {}) {
    netlink::MessageWriter writer;
    for (const auto& [type, value] : numbers)
        writer.big_endian(type, value);
    return {std::move(name), {writer.bytes().begin(), writer.bytes().end()}};
}

/// Likewise, with a name as its only attribute.
inline rematch::Expression named_expression(std::string name, std::uint16_t type, std::string_view value) {
    netlink::MessageWriter writer;
    writer.text(type, value);
    return {std::move(name), {writer.bytes().begin(), writer.bytes().end()}};
}

inline rematch::Expression load_payload(nft_payload_bases base, std::uint32_t offset, std::uint32_t length) {
    return expression("payload", {{NFTA_PAYLOAD_DREG, NFT_REG_1},
                                  {NFTA_PAYLOAD_BASE, base},
                                  {NFTA_PAYLOAD_OFFSET, offset},
                                  {NFTA_PAYLOAD_LEN, length}});
}

inline rematch::RuleBytecode rule(std::vector<rematch::Expression> expressions, std::uint8_t family = NFPROTO_INET) {
    rematch::RuleBytecode result;
    result.family = family;
    result.table = "t";
    result.chain = "c";
    result.handle = 4;
    result.expressions = std::move(expressions);
    return result;
}

}  // namespace headgate::testing
