// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/flow_id.h"

#include <arpa/inet.h>

#include <array>
#include <bit>

namespace headgate::conntrack {
namespace {

/// The state of the hash function, and its rounds.
struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void run_round() noexcept {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }

    void add(std::uint64_t word) noexcept {
        v3 ^= word;
        run_round();
        run_round();
        v0 ^= word;
    }
};

}  // namespace

std::uint64_t sip_hash(std::span<const __u64> words, const walk_seed& seed) noexcept {
    const auto [first, second] = seed.words;
    SipState state{first ^ 0x736f6d6570736575U, second ^ 0x646f72616e646f6dU, first ^ 0x6c7967656e657261U,
                   second ^ 0x7465646279746573U};
    for (const auto word : words)
        state.add(word);
    state.add(std::uint64_t{words.size_bytes()} << 56U);
    state.v2 ^= 0xFFU;
    for (int i = 0; i < 4; ++i)
        state.run_round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::uint32_t flow_id(const walk_row& row, std::uint64_t network_namespace, const walk_seed& seed) noexcept {
    const auto tuple = sip_hash(row.original.words, seed);
    const std::array<__u64, 4> words{row.entry, row.master, network_namespace, tuple};
    // The kernel sends its number in the host's byte order (ctnetlink_dump_id), as a number in network order.
    return ntohl(static_cast<std::uint32_t>(sip_hash(words, seed)));
}

}  // namespace headgate::conntrack
