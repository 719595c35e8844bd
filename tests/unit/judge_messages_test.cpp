// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/judge_messages.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "files/file_descriptor.h"
#include "support/flow_builder.h"

namespace headgate::testing {
namespace judge_messages_test {

using rematch::ByteString;
using rematch::MessageType;

std::vector<FlowVerdict> verdicts() {
    FlowVerdict refused;
    refused.result = VerdictResult::Refused;
    refused.kind = RefusalKind::Policy;
    refused.rule = RuleReference{"inet", "t", "c", 7, "policy drop"};
    FlowVerdict translated;
    translated.result = VerdictResult::Translated;
    translated.then = Translation{parse_address("2001:db8::1").value(), parse_address("2001:db8::2").value(), 80};
    translated.assumes = {"limit is not exceeded", ""};
    FlowVerdict unknown;
    unknown.reason = "does not reach the rules";
    return {refused, translated, unknown};
}

TEST(JudgeMessages, are_read_as_they_were_written) {
    EXPECT_EQ(rematch::unpack_verdicts(rematch::pack_verdicts(verdicts())).value(), verdicts());

    const std::vector questions{rematch::question_of(tcp_flow().with_mark(3).in_zone(4)),
                                rematch::question_of(FlowBuilder{Protocol::Icmp}.echo(9))};
    EXPECT_EQ(rematch::unpack_questions(rematch::pack_questions(questions)).value(), questions);

    const auto error = rematch::unpack_error(rematch::pack_error({ErrorKind::Unloadable, "1:2: Error", 5})).value();
    EXPECT_EQ(error.kind, ErrorKind::Unloadable);
    EXPECT_EQ(error.message, "1:2: Error");
    EXPECT_EQ(error.number, 5);

    rematch::Preparation preparation;
    preparation.snapshot.generation = 5;
    preparation.snapshot.nftables = {std::byte{1}, std::byte{2}};
    preparation.snapshot.sysctls = {"ipv4/conf/all/forwarding=1"};
    preparation.snapshot.legacy_tables = "nat";
    preparation.candidate = "flush ruleset\n";
    const auto read = rematch::unpack_preparation(rematch::pack_preparation(preparation)).value();
    EXPECT_EQ(read.snapshot.nftables, preparation.snapshot.nftables);
    EXPECT_EQ(read.snapshot.sysctls, preparation.snapshot.sysctls);
    EXPECT_EQ(read.snapshot.legacy_tables, "nat");
    EXPECT_EQ(read.candidate, preparation.candidate);
}

TEST(JudgeMessages, that_are_cut_short_are_damaged) {
    const auto whole = rematch::pack_verdicts(verdicts());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto read = rematch::unpack_verdicts(netlink::Bytes{whole}.first(length));
        EXPECT_FALSE(read.has_value()) << length;
    }
}

TEST(JudgeMessages, with_values_that_do_not_exist_are_damaged) {
    auto packed = rematch::pack_verdicts(verdicts());
    packed[sizeof(std::uint64_t)] = std::byte{9};  // the first verdict's result
    EXPECT_FALSE(rematch::unpack_verdicts(packed).has_value());
    const ByteString endless(8, std::byte{0xff});
    EXPECT_FALSE(rematch::unpack_questions(endless).has_value()) << "a list longer than its message";
}

TEST(JudgeMessages, longer_than_permitted_are_not_received) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const FileDescriptor ours{ends[0]};
    const FileDescriptor theirs{ends[1]};
    rematch::PackedWriter header;
    header.number(static_cast<std::uint32_t>(MessageType::Ask));
    header.number(std::uint64_t{1} << 40U);
    ASSERT_EQ(::send(ours.get(), header.written().data(), header.written().size(), 0), 12);
    const auto received = rematch::receive_message(theirs.get());
    ASSERT_FALSE(received.has_value());
    EXPECT_EQ(received.error().kind, ErrorKind::Damaged);
}

}  // namespace judge_messages_test
}  // namespace headgate::testing
