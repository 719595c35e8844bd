// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/expressions.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "netlink/message_writer.h"

namespace headgate::rematch {
namespace {

using netlink::Bytes;
using netlink::MessageWriter;

constexpr std::uint32_t kLongestValue = 16;  ///< of one register of 128 bits
constexpr std::uint32_t kLongestKey = 64;    ///< all registers
constexpr std::uint32_t kAllRegisters = 0xffff;

/// The 32-bit registers from `number` on, under either of its names (nf_tables.h, enum nft_registers).
std::uint32_t slots(std::uint32_t number, std::uint32_t length) {
    std::uint32_t first = 16;
    if (number >= NFT_REG_1 && number <= NFT_REG_4) first = (number - NFT_REG_1) * 4;
    if (number >= NFT_REG32_00 && number <= NFT_REG32_15) first = number - NFT_REG32_00;
    std::uint32_t bits = 0;
    for (std::uint32_t i = 0; i < (length + 3) / 4 && first + i < 16; ++i)
        bits |= 1U << (first + i);
    return bits;
}

/// Where an expression has its registers; 0: none (all attributes count from 1).
struct RegisterTypes {
    std::string_view name;
    std::uint16_t source;
    std::uint16_t target;
    std::uint16_t length;
    std::uint32_t longest;
};

constexpr RegisterTypes kRegisterTypes[] = {
    {"bitwise", NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN, kLongestValue},
    {"byteorder", NFTA_BYTEORDER_SREG, NFTA_BYTEORDER_DREG, NFTA_BYTEORDER_LEN, kLongestValue},
    {"cmp", NFTA_CMP_SREG, 0, 0, kLongestValue},
    {"ct", NFTA_CT_SREG, NFTA_CT_DREG, 0, kLongestValue},
    {"exthdr", NFTA_EXTHDR_SREG, NFTA_EXTHDR_DREG, NFTA_EXTHDR_LEN, kLongestValue},
    {"fib", 0, NFTA_FIB_DREG, 0, kLongestValue},
    {"hash", NFTA_HASH_SREG, NFTA_HASH_DREG, NFTA_HASH_LEN, kLongestValue},
    {"immediate", 0, NFTA_IMMEDIATE_DREG, 0, kLongestValue},
    {"lookup", NFTA_LOOKUP_SREG, NFTA_LOOKUP_DREG, 0, kLongestKey},
    {"meta", NFTA_META_SREG, NFTA_META_DREG, 0, kLongestValue},
    {"numgen", 0, NFTA_NG_DREG, 0, 4},
    {"osf", 0, NFTA_OSF_DREG, 0, kLongestValue},
    {"payload", NFTA_PAYLOAD_SREG, NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_LEN, kLongestValue},
    {"range", NFTA_RANGE_SREG, 0, 0, kLongestValue},
    {"rt", 0, NFTA_RT_DREG, 0, kLongestValue},
    {"socket", 0, NFTA_SOCKET_DREG, 0, kLongestValue},
    {"tunnel", 0, NFTA_TUNNEL_DREG, 0, kLongestValue},
    {"xfrm", 0, NFTA_XFRM_DREG, 0, kLongestValue},
};

constexpr std::string_view kWithoutRegisters[] = {"connlimit", "counter", "last",  "limit", "log",
                                                  "match",     "notrack", "quota", "target"};

constexpr bool is_name_key(std::uint32_t key) {
    return key == NFT_META_IIFNAME || key == NFT_META_OIFNAME || key == NFT_META_IIFKIND || key == NFT_META_OIFKIND ||
           key == NFT_META_BRI_IIFNAME || key == NFT_META_BRI_OIFNAME || key == NFT_META_SDIFNAME;
}

constexpr bool is_word_key(std::uint32_t key) {
    return key == NFT_CT_MARK || key == NFT_CT_STATE || key == NFT_CT_STATUS || key == NFT_CT_DIRECTION ||
           key == NFT_CT_PROTO_SRC || key == NFT_CT_PROTO_DST || key == NFT_CT_SRC_IP || key == NFT_CT_DST_IP;
}

std::uint32_t length_of(const Expression& expression, const RegisterTypes& types) {
    const Bytes data = expression.data;
    if (types.length != 0 && has(data, types.length)) return number_in(data, types.length);
    if (expression.name == "meta") {
        const auto key = number_in(data, NFTA_META_KEY);
        if (is_name_key(key)) return kLongestValue;
        return key == NFT_META_TIME_NS ? 8 : 4;
    }
    if (expression.name == "ct") return is_word_key(number_in(data, NFTA_CT_KEY)) ? 4 : kLongestValue;
    const auto value_of = [&](std::uint16_t type) {
        return static_cast<std::uint32_t>(bytes_in(bytes_in(data, type), NFTA_DATA_VALUE).size());
    };
    if (expression.name == "cmp") return value_of(NFTA_CMP_DATA);
    if (expression.name == "range") return value_of(NFTA_RANGE_FROM_DATA);
    if (expression.name == "immediate") return value_of(NFTA_IMMEDIATE_DATA);
    return types.longest;
}

template <typename Body>
Expression make(std::string_view name, Body body) {
    MessageWriter writer;
    body(writer);
    return {std::string{name}, {writer.bytes().begin(), writer.bytes().end()}};
}

}  // namespace

RegisterUse registers_of(const Expression& expression) {
    const auto* const types = std::ranges::find(kRegisterTypes, expression.name, &RegisterTypes::name);
    if (types == std::end(kRegisterTypes)) {
        const bool none = std::ranges::find(kWithoutRegisters, expression.name) != std::end(kWithoutRegisters);
        return none ? RegisterUse{} : RegisterUse{kAllRegisters, kAllRegisters};
    }
    const Bytes data = expression.data;
    const auto length = length_of(expression, *types);
    RegisterUse use;
    if (types->source != 0 && has(data, types->source)) use.reads = slots(number_in(data, types->source), length);
    if (types->target != 0 && has(data, types->target)) {
        // A hash is one word, a look-up's value at most one register of 128 bits.
        const auto written = expression.name == "hash" ? 4U : std::min(length, kLongestValue);
        use.writes = slots(number_in(data, types->target), expression.name == "bitwise" ? length : written);
    }
    return use;
}

bool only_reads(const Expression& expression) {
    const Bytes data = expression.data;
    const auto& name = expression.name;
    if (name == "payload") return !has(data, NFTA_PAYLOAD_SREG);
    if (name == "meta") return !has(data, NFTA_META_SREG);
    if (name == "ct") return !has(data, NFTA_CT_SREG);
    if (name == "exthdr") return has(data, NFTA_EXTHDR_DREG);
    if (name == "immediate") return number_in(data, NFTA_IMMEDIATE_DREG) != NFT_REG_VERDICT;
    if (name == "lookup") return !has(data, NFTA_LOOKUP_DREG) || number_in(data, NFTA_LOOKUP_DREG) != NFT_REG_VERDICT;
    constexpr std::string_view kReading[] = {"bitwise", "byteorder", "cmp", "fib",    "hash",   "match", "numgen",
                                             "osf",     "range",     "rt",  "socket", "tunnel", "xfrm"};
    return std::ranges::find(kReading, name) != std::end(kReading);
}

std::optional<std::int32_t> verdict_of(const Expression& expression) {
    const Bytes data = expression.data;
    if (expression.name != "immediate" || number_in(data, NFTA_IMMEDIATE_DREG) != NFT_REG_VERDICT) return std::nullopt;
    const Bytes verdict = bytes_in(bytes_in(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);
    if (!has(verdict, NFTA_VERDICT_CODE)) return std::nullopt;
    return static_cast<std::int32_t>(number_in(verdict, NFTA_VERDICT_CODE));
}

Expression verdict(std::int32_t code) {
    return make("immediate", [&](MessageWriter& writer) {
        writer.big_endian<std::uint32_t>(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        writer.nest(NFTA_IMMEDIATE_DATA, [&] {
            writer.nest(NFTA_DATA_VERDICT,
                        [&] { writer.big_endian(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code)); });
        });
    });
}

Expression load_value(std::uint32_t target, std::span<const std::uint8_t> value) {
    return make("immediate", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_IMMEDIATE_DREG, target);
        writer.nest(NFTA_IMMEDIATE_DATA, [&] { writer.attribute(NFTA_DATA_VALUE, std::as_bytes(value)); });
    });
}

Expression load_meta(std::uint32_t key, std::uint32_t target) {
    return make("meta", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_META_DREG, target);
        writer.big_endian(NFTA_META_KEY, key);
    });
}

Expression set_meta(std::uint32_t key, std::uint32_t source) {
    return make("meta", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_META_KEY, key);
        writer.big_endian(NFTA_META_SREG, source);
    });
}

Expression load_ct(std::uint32_t key, std::uint32_t target) {
    return make("ct", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_CT_DREG, target);
        writer.big_endian(NFTA_CT_KEY, key);
    });
}

Expression set_ct(std::uint32_t key, std::uint32_t source) {
    return make("ct", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_CT_KEY, key);
        writer.big_endian(NFTA_CT_SREG, source);
    });
}

Expression load_network_header(std::uint32_t offset, std::uint32_t length, std::uint32_t target) {
    return make("payload", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_PAYLOAD_DREG, target);
        writer.big_endian<std::uint32_t>(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
        writer.big_endian(NFTA_PAYLOAD_OFFSET, offset);
        writer.big_endian(NFTA_PAYLOAD_LEN, length);
    });
}

Expression mask(std::uint32_t at, std::span<const std::uint8_t> bits) {
    constexpr std::array<std::uint8_t, 16> kZeros{};
    return make("bitwise", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_BITWISE_SREG, at);
        writer.big_endian(NFTA_BITWISE_DREG, at);
        writer.big_endian(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(bits.size()));
        writer.nest(NFTA_BITWISE_MASK, [&] { writer.attribute(NFTA_DATA_VALUE, std::as_bytes(bits)); });
        writer.nest(NFTA_BITWISE_XOR,
                    [&] { writer.attribute(NFTA_DATA_VALUE, std::as_bytes(std::span{kZeros}.first(bits.size()))); });
    });
}

Expression compare(std::uint32_t operation, std::uint32_t source, std::span<const std::uint8_t> value) {
    return make("cmp", [&](MessageWriter& writer) {
        writer.big_endian(NFTA_CMP_SREG, source);
        writer.big_endian(NFTA_CMP_OP, operation);
        writer.nest(NFTA_CMP_DATA, [&] { writer.attribute(NFTA_DATA_VALUE, std::as_bytes(value)); });
    });
}

void append_trace(std::vector<Expression>& expressions) {
    constexpr std::array<std::uint8_t, 1> kOn{1};
    expressions.push_back(load_value(NFT_REG_1, kOn));
    expressions.push_back(set_meta(NFT_META_NFTRACE, NFT_REG_1));
}

}  // namespace headgate::rematch
