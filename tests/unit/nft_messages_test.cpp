// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/nft_messages.h"

#include <arpa/inet.h>
#include <endian.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "netlink/messages.h"
#include "support/flow_builder.h"

namespace headgate::midstream {
namespace nft_messages_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

std::vector<netlink::Message> messages_in(const netlink::RequestBuffer& requests) {
    std::vector<netlink::Message> messages;
    netlink::Message message;
    for (netlink::MessageReader reader{requests.bytes()}; reader.next(message);)
        messages.push_back(message);
    return messages;
}

std::vector<SetElements> many_elements(std::size_t count) {
    std::vector<FlowRow> rows;
    for (std::size_t i = 0; i < count; ++i)
        rows.push_back({tcp_flow().from_port(static_cast<std::uint16_t>(i)).flow(), {}});
    return elements_for(rows, 60s, 65536);
}

TEST(NftTransaction, stands_between_begin_and_end_and_is_answered_once) {
    netlink::RequestBuffer requests;
    add_transaction(requests, many_elements(3), WhenThere::Fail);
    const auto messages = messages_in(requests);
    ASSERT_EQ(messages.size(), 4U) << "begin, one message for each direction, end";
    EXPECT_EQ(messages.front().header.nlmsg_type, NFNL_MSG_BATCH_BEGIN);
    EXPECT_EQ(messages.back().header.nlmsg_type, NFNL_MSG_BATCH_END);
    EXPECT_TRUE(messages[1].is(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSETELEM));
    EXPECT_EQ(messages[1].header.nlmsg_flags & NLM_F_ACK, 0);
    EXPECT_NE(messages[2].header.nlmsg_flags & NLM_F_ACK, 0);
}

TEST(NftTransaction, takes_several_messages_for_more_elements_than_a_nest_can_hold) {
    netlink::RequestBuffer requests;
    add_transaction(requests, many_elements(1100), WhenThere::Fail);
    EXPECT_EQ(messages_in(requests).size(), 2U + 2 * 3);
}

TEST(NftTransaction, renews_an_element_by_adding_removing_and_adding_it) {
    netlink::RequestBuffer requests;
    add_transaction(requests, {{window_for(Protocol::Tcp, 9s)}}, WhenThere::Renew);
    const auto messages = messages_in(requests);
    ASSERT_EQ(messages.size(), 5U);
    EXPECT_TRUE(messages[1].is(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSETELEM));
    EXPECT_TRUE(messages[2].is(NFNL_SUBSYS_NFTABLES, NFT_MSG_DELSETELEM));
    EXPECT_TRUE(messages[3].is(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWSETELEM));
}

TEST(NftAnswer, that_is_cut_short_anywhere_is_read_within_its_bounds) {
    netlink::RequestBuffer requests;
    add_transaction(requests, many_elements(3), WhenThere::Fail);
    const auto payload = messages_in(requests)[1].payload;
    for (std::size_t length = 0; length <= payload.size(); ++length) {
        const std::vector<std::byte> part{payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(length)};
        EXPECT_TRUE(parse_elements(part).empty()) << "they have a time to live, but none that is left";
        EXPECT_FALSE(parse_chain(part).has_value() && length < sizeof(nfgenmsg));
        EXPECT_TRUE(parse_counted_elements(part).empty());
        static_cast<void>(parse_set(part));
        static_cast<void>(parse_counter(part));
    }
}

/// Appends an element of an interval set as the kernel sends it; `packets`: of its counter.
void put_interval(nlmsghdr* message, std::uint8_t key, std::uint32_t flags, std::uint64_t packets) {
    const netlink::Nest item{message, NFTA_LIST_ELEM};
    {
        const netlink::Nest value{message, NFTA_SET_ELEM_KEY};
        mnl_attr_put(message, NFTA_DATA_VALUE, 1, &key);
    }
    mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(flags));
    mnl_attr_put_u64(message, NFTA_SET_ELEM_EXPIRATION, htobe64(1500));
    const netlink::Nest expression{message, NFTA_SET_ELEM_EXPR};
    mnl_attr_put_strz(message, NFTA_EXPR_NAME, "counter");
    const netlink::Nest data{message, NFTA_EXPR_DATA};
    mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, htobe64(packets * 60));
    mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, htobe64(packets));
}

TEST(NftAnswer, about_intervals_has_their_begin_and_their_counters) {
    netlink::RequestBuffer buffer;
    nlmsghdr* const message = buffer.begin({.type = NFT_MSG_NEWSETELEM}, 1024);
    {
        const netlink::Nest list{message, NFTA_SET_ELEM_LIST_ELEMENTS};
        put_interval(message, 10, 0, 7);
        put_interval(message, 20, NFT_SET_ELEM_INTERVAL_END, 0);
    }
    buffer.end(message);
    const auto elements = parse_counted_elements(messages_in(buffer).front().payload);
    ASSERT_EQ(elements.size(), 1U);
    EXPECT_EQ(elements[0].element.key[0], std::byte{10});
    EXPECT_EQ(elements[0].element.timeout, 1500ms);
    EXPECT_EQ(elements[0].packets, 7U);
    EXPECT_EQ(elements[0].bytes, 420U);
}

/// A NEWCHAIN message as the kernel sends it, with user data as any program may have written it.
std::optional<TableChain> chain_with(std::string_view table, std::span<const std::uint8_t> user_data) {
    netlink::RequestBuffer buffer;
    nlmsghdr* const message = buffer.begin({.type = NFT_MSG_NEWCHAIN}, 1024);
    mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, std::string{table}.c_str());
    mnl_attr_put_strz(message, NFTA_CHAIN_NAME, "in_force");
    mnl_attr_put(message, NFTA_CHAIN_USERDATA, user_data.size(), user_data.data());
    buffer.end(message);
    return parse_chain(messages_in(buffer).front().payload);
}

TEST(NftAnswer, about_a_chain_has_its_comment) {
    EXPECT_EQ(chain_with("headgate", std::array<std::uint8_t, 6>{0, 4, 'n', 'o', 't', 'e'})->comment, "note");
    EXPECT_EQ(chain_with("headgate", std::array<std::uint8_t, 7>{9, 1, 0, 0, 2, 'h', 'i'})->comment, "hi");
}

TEST(NftAnswer, with_user_data_that_lies_about_its_length_has_no_comment) {
    EXPECT_EQ(chain_with("headgate", std::array<std::uint8_t, 4>{0, 200, 'n', 'o'})->comment, "");
    EXPECT_EQ(chain_with("headgate", std::array<std::uint8_t, 1>{0})->comment, "");
}

TEST(NftAnswer, about_another_table_is_none_of_ours) {
    EXPECT_FALSE(chain_with("filter", {}).has_value());
}

}  // namespace nft_messages_test
}  // namespace headgate::midstream
