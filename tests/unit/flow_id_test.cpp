// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/flow_id.h"

#include <gtest/gtest.h>

#include <array>

#include "support/flow_builder.h"
#include "support/walk_rows.h"

namespace headgate::conntrack {
namespace flow_id_test {

using namespace headgate::testing;

/// Of the octets 0 to 15, as in the vectors that the function's authors published, whose texts are 0, 1, 2 ...
constexpr walk_seed kSeed{{0x0706050403020100U, 0x0F0E0D0C0B0A0908U}};

TEST(FlowId, hashes_as_published) {
    const std::array<__u64, 5> text{0x0706050403020100U, 0x0F0E0D0C0B0A0908U, 0x1716151413121110U, 0x1F1E1D1C1B1A1918U,
                                    0x2726252423222120U};
    EXPECT_EQ(sip_hash({}, kSeed), 0x726FDB47DD0E0E31U);
    EXPECT_EQ(sip_hash({text.data(), 1}, kSeed), 0x93F5F5799A932462U);
    EXPECT_EQ(sip_hash({text.data(), 2}, kSeed), 0x3F2ACC7F57C29BDBU);
    EXPECT_EQ(sip_hash(text, kSeed), 0x0E3EA96B5304A7D0U);
}

TEST(FlowId, is_of_the_entry_its_master_its_namespace_its_tuple_and_the_seed) {
    constexpr std::uint64_t kNamespace = 0xFFFF888076543200U;
    auto row = walked(tcp_flow());
    row.entry = 0xFFFF888012345600U;
    EXPECT_EQ(flow_id(row, kNamespace, kSeed), 3'568'559'042U) << "as another program calculates it";
    const auto id_with = [&](auto change) {
        auto other = row;
        change(other);
        return flow_id(other, kNamespace, kSeed);
    };
    EXPECT_NE(id_with([](walk_row& other) { other.entry += 256; }), 3'568'559'042U);
    EXPECT_NE(id_with([](walk_row& other) { other.master = other.entry; }), 3'568'559'042U);
    EXPECT_NE(id_with([](walk_row& other) { other.original.words[2] ^= 1; }), 3'568'559'042U);
    EXPECT_EQ(id_with([](walk_row& other) { other.reply.words[2] ^= 1; }), 3'568'559'042U);
    EXPECT_NE(flow_id(row, kNamespace + 64, kSeed), 3'568'559'042U);
    EXPECT_NE(flow_id(row, kNamespace, {{1, 2}}), 3'568'559'042U);
}

}  // namespace flow_id_test
}  // namespace headgate::conntrack
