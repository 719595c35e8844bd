// SPDX-License-Identifier: GPL-2.0-or-later
// What expressions do with nf_tables' registers, and expressions of our own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rematch/bytecode.h"

namespace headgate::rematch {

/// The sixteen 32-bit registers, as bits.
struct RegisterUse {
    std::uint32_t reads = 0;
    std::uint32_t writes = 0;
};

/// An upper bound: 16 bytes (64 for the key of a look-up) where the expression does not say its length, and all
/// registers for an expression that is not known.
[[nodiscard]] RegisterUse registers_of(const Expression& expression);

/// Whether all that the expression does is to load registers or to end the rule's evaluation: without it the rule
/// matches more often, but nothing else changes.
[[nodiscard]] bool only_reads(const Expression& expression);

/// The verdict code of an immediate verdict: NF_DROP, NFT_JUMP, ...
[[nodiscard]] std::optional<std::int32_t> verdict_of(const Expression& expression);

[[nodiscard]] Expression verdict(std::int32_t code);
[[nodiscard]] Expression load_value(std::uint32_t target, std::span<const std::uint8_t> value);
[[nodiscard]] Expression load_meta(std::uint32_t key, std::uint32_t target);
[[nodiscard]] Expression set_meta(std::uint32_t key, std::uint32_t source);
[[nodiscard]] Expression load_ct(std::uint32_t key, std::uint32_t target);
[[nodiscard]] Expression set_ct(std::uint32_t key, std::uint32_t source);
[[nodiscard]] Expression load_network_header(std::uint32_t offset, std::uint32_t length, std::uint32_t target);
[[nodiscard]] Expression mask(std::uint32_t at, std::span<const std::uint8_t> bits);
[[nodiscard]] Expression compare(std::uint32_t operation, std::uint32_t source, std::span<const std::uint8_t> value);

/// `meta nftrace set 1`: from here on the packet's way is reported.
void append_trace(std::vector<Expression>& expressions);

}  // namespace headgate::rematch
