// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/expression_classes.h"

#include <gtest/gtest.h>

#include "rematch/expressions.h"
#include "support/bytecode_builder.h"

namespace headgate::testing {
namespace expression_classes_test {

using rematch::Expression;
using rematch::ExpressionClass;
using rematch::ExpressionClasses;
using rematch::RuleBytecode;
using rematch::Treatment;

ExpressionClass classify_in(const rematch::RulesetBytecode& ruleset, const RuleBytecode& rule) {
    return ExpressionClasses{ruleset, false}.classify(rule, rule.expressions.size() - 1);
}

/// Of the last expression of a rule.
Treatment treatment(const std::vector<Expression>& expressions, std::uint8_t family = NFPROTO_INET) {
    return classify_in({}, rule(expressions, family)).treatment;
}

Treatment treatment(const Expression& single) {
    return treatment(std::vector{single});
}

std::vector<Expression> for_protocol(std::uint8_t protocol, const Expression& last) {
    const std::uint8_t value[] = {protocol};
    return {rematch::load_meta(NFT_META_L4PROTO, NFT_REG_1), rematch::compare(NFT_CMP_EQ, NFT_REG_1, value), last};
}

TEST(ExpressionClasses, an_unlisted_expression_is_undecidable) {
    for (const auto* name : {"numgen", "osf", "socket", "tproxy", "synproxy", "queue", "fwd", "xfrm", "tunnel", "inner",
                             "made-up-tomorrow", ""}) {
        EXPECT_EQ(treatment(expression(name)), Treatment::Undecidable) << name;
    }
}

TEST(ExpressionClasses, comparisons_translations_and_verdicts_are_exact) {
    for (const auto* name :
         {"cmp", "range", "bitwise", "byteorder", "immediate", "fib", "nat", "masq", "redir", "notrack"})
        EXPECT_EQ(treatment(expression(name)), Treatment::Exact) << name;
}

TEST(ExpressionClasses, what_only_records_is_left_out) {
    for (const auto* name : {"counter", "last", "log", "dup", "flow_offload"})
        EXPECT_EQ(treatment(expression(name)), Treatment::Omitted) << name;
    EXPECT_EQ(treatment(expression("reject")), Treatment::Reject);
}

TEST(ExpressionClasses, addresses_are_exact_once_the_family_is_known) {
    const auto source4 = load_payload(NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
    EXPECT_EQ(treatment({source4}, NFPROTO_IPV4), Treatment::Exact);
    EXPECT_EQ(treatment({source4}, NFPROTO_INET), Treatment::Exact) << "these are bytes of IPv6's source, too";
    const auto dscp = load_payload(NFT_PAYLOAD_NETWORK_HEADER, 1, 1);
    EXPECT_EQ(treatment({dscp}, NFPROTO_IPV4), Treatment::Undecidable);
    const auto ttl = load_payload(NFT_PAYLOAD_NETWORK_HEADER, 8, 1);
    EXPECT_EQ(treatment({ttl}, NFPROTO_IPV4), Treatment::Undecidable);
    EXPECT_EQ(treatment({ttl}, NFPROTO_IPV6), Treatment::Exact) << "the first byte of IPv6's source";
    const auto total_length = load_payload(NFT_PAYLOAD_NETWORK_HEADER, 2, 2);
    EXPECT_EQ(treatment({total_length}, NFPROTO_IPV4), Treatment::Undecidable);
}

TEST(ExpressionClasses, a_fragment_is_told_by_its_offset_but_not_by_the_flag_that_forbids_fragments) {
    const auto flags = load_payload(NFT_PAYLOAD_NETWORK_HEADER, 6, 2);
    const std::uint8_t offset[] = {0x1f, 0xff};
    const std::uint8_t forbidden[] = {0x40, 0x00};
    const auto of = [&](std::span<const std::uint8_t> mask) {
        return ExpressionClasses{{}, false}
            .classify(rule({flags, rematch::mask(NFT_REG_1, mask)}, NFPROTO_IPV4), 0)
            .treatment;
    };
    EXPECT_EQ(of(offset), Treatment::Exact);
    EXPECT_EQ(of(forbidden), Treatment::Undecidable);
    EXPECT_EQ(treatment({flags}, NFPROTO_IPV4), Treatment::Undecidable);
}

TEST(ExpressionClasses, of_the_transport_header_ports_flags_and_icmps_type_and_id_are_exact) {
    const auto transport = [](std::uint32_t offset, std::uint32_t length) {
        return load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset, length);
    };
    EXPECT_EQ(treatment(transport(2, 2)), Treatment::Exact);
    EXPECT_EQ(treatment(for_protocol(IPPROTO_TCP, transport(13, 1))), Treatment::Exact);
    EXPECT_EQ(treatment(transport(13, 1)), Treatment::Undecidable) << "payload, of UDP";
    EXPECT_EQ(treatment(for_protocol(IPPROTO_TCP, transport(14, 2))), Treatment::Undecidable) << "the window";
    EXPECT_EQ(treatment(for_protocol(IPPROTO_ICMP, transport(0, 1))), Treatment::Exact);
    EXPECT_EQ(treatment(for_protocol(IPPROTO_ICMP, transport(4, 2))), Treatment::Exact);
    EXPECT_EQ(treatment(for_protocol(IPPROTO_ICMP, transport(2, 2))), Treatment::Undecidable) << "the checksum";
    EXPECT_EQ(treatment(for_protocol(IPPROTO_UDP, transport(4, 2))), Treatment::Undecidable) << "the length";
}

TEST(ExpressionClasses, writes_to_the_packet_are_undecidable_except_for_those_that_are_never_read_exactly) {
    const auto write = [](nft_payload_bases base, std::uint32_t offset, std::uint32_t length) {
        return expression("payload", {{NFTA_PAYLOAD_SREG, NFT_REG_1},
                                      {NFTA_PAYLOAD_BASE, base},
                                      {NFTA_PAYLOAD_OFFSET, offset},
                                      {NFTA_PAYLOAD_LEN, length}});
    };
    EXPECT_EQ(treatment(write(NFT_PAYLOAD_NETWORK_HEADER, 1, 1)), Treatment::Omitted) << "DSCP";
    EXPECT_EQ(treatment(write(NFT_PAYLOAD_NETWORK_HEADER, 16, 4)), Treatment::Undecidable);
    EXPECT_EQ(treatment(write(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2)), Treatment::Undecidable);
    EXPECT_EQ(treatment(expression("exthdr", {{NFTA_EXTHDR_SREG, NFT_REG_1}})), Treatment::Omitted) << "MSS";
    EXPECT_EQ(treatment(expression("exthdr", {{NFTA_EXTHDR_DREG, NFT_REG_1}})), Treatment::Undecidable);
}

TEST(ExpressionClasses, of_meta_what_the_copy_has_is_exact) {
    const auto read = [](std::uint32_t key) { return treatment(rematch::load_meta(key, NFT_REG_1)); };
    for (const auto key :
         {NFT_META_IIF, NFT_META_OIFNAME, NFT_META_IIFGROUP, NFT_META_L4PROTO, NFT_META_PKTTYPE, NFT_META_TIME_HOUR})
        EXPECT_EQ(read(key), Treatment::Exact) << key;
    for (const auto key : {NFT_META_LEN, NFT_META_CPU, NFT_META_PRANDOM, NFT_META_SECPATH, NFT_META_SDIF,
                           NFT_META_IIFKIND, NFT_META_RTCLASSID})
        EXPECT_EQ(read(key), Treatment::Undecidable) << key;
    EXPECT_EQ(read(9999), Treatment::Undecidable);
    EXPECT_EQ(read(NFT_META_MARK), Treatment::PacketMark);
    EXPECT_EQ(treatment(rematch::set_meta(NFT_META_MARK, NFT_REG_1)), Treatment::Exact);
    EXPECT_EQ(treatment(rematch::set_meta(NFT_META_NFTRACE, NFT_REG_1)), Treatment::Omitted);
    EXPECT_EQ(treatment(rematch::set_meta(NFT_META_PKTTYPE, NFT_REG_1)), Treatment::Undecidable);
}

TEST(ExpressionClasses, a_sockets_owner_matters_to_local_packets_alone) {
    const auto found = classify_in({}, rule({rematch::load_meta(NFT_META_SKUID, NFT_REG_1)}));
    EXPECT_EQ(found.treatment, Treatment::Undecidable);
    EXPECT_EQ(found.ways & rematch::packet_way::kForward, 0);
    EXPECT_NE(found.ways & rematch::packet_way::kOutput, 0);
}

TEST(ExpressionClasses, link_types_are_exact_where_all_links_are_ethernet) {
    const auto checked = rule({rematch::load_meta(NFT_META_IIFTYPE, NFT_REG_1)});
    EXPECT_EQ((ExpressionClasses{{}, false}.classify(checked, 0).treatment), Treatment::Exact);
    EXPECT_EQ((ExpressionClasses{{}, true}.classify(checked, 0).treatment), Treatment::Undecidable);
}

TEST(ExpressionClasses, of_conntrack_what_a_first_packet_has_is_exact) {
    const auto read = [](std::uint32_t key) { return treatment(rematch::load_ct(key, NFT_REG_1)); };
    for (const auto key : {NFT_CT_STATE, NFT_CT_STATUS, NFT_CT_DIRECTION, NFT_CT_ZONE, NFT_CT_PROTO_DST})
        EXPECT_EQ(read(key), Treatment::Exact) << key;
    for (const auto key : {NFT_CT_EXPIRATION, NFT_CT_PKTS, NFT_CT_BYTES, NFT_CT_AVGPKT, NFT_CT_ID, NFT_CT_SECMARK})
        EXPECT_EQ(read(key), Treatment::Undecidable) << key;
    EXPECT_EQ(read(NFT_CT_MARK), Treatment::CtMark);
    EXPECT_EQ(read(NFT_CT_LABELS), Treatment::CtLabels);
    EXPECT_EQ(treatment(rematch::set_ct(NFT_CT_MARK, NFT_REG_1)), Treatment::Exact);
    EXPECT_EQ(treatment(rematch::set_ct(NFT_CT_EVENTMASK, NFT_REG_1)), Treatment::Omitted);
}

TEST(ExpressionClasses, limits_are_told_from_those_that_match_above_them) {
    EXPECT_EQ(treatment(expression("limit", {{NFTA_LIMIT_FLAGS, 0}})), Treatment::Limit);
    EXPECT_EQ(treatment(expression("limit", {{NFTA_LIMIT_FLAGS, 1}})), Treatment::OverLimit);
    EXPECT_EQ(treatment(expression("quota", {{NFTA_QUOTA_FLAGS, 1}})), Treatment::OverLimit);
    EXPECT_EQ(treatment(expression("connlimit", {{NFTA_CONNLIMIT_FLAGS, 1}})), Treatment::OverLimit);
}

TEST(ExpressionClasses, hashes_are_exact_with_a_seed) {
    EXPECT_EQ(treatment(expression("hash", {{NFTA_HASH_SEED, 1}})), Treatment::Exact);
    EXPECT_EQ(treatment(expression("hash")), Treatment::Undecidable);
    EXPECT_EQ(treatment(expression("hash", {{NFTA_HASH_TYPE, NFT_HASH_SYM}, {NFTA_HASH_SEED, 1}})),
              Treatment::Undecidable);
}

TEST(ExpressionClasses, a_set_to_which_rules_add_is_read_as_it_is_now) {
    const auto lookup = named_expression("lookup", NFTA_LOOKUP_SET, "s");
    const auto addition = named_expression("dynset", NFTA_DYNSET_SET_NAME, "s");
    rematch::RulesetBytecode ruleset;
    EXPECT_EQ(classify_in(ruleset, rule({lookup})).treatment, Treatment::Exact);
    EXPECT_EQ(classify_in(ruleset, rule({addition})).treatment, Treatment::Omitted) << "nothing reads it";
    ruleset.rules = {rule({addition}), rule({lookup})};
    EXPECT_EQ(classify_in(ruleset, rule({lookup})).treatment, Treatment::SetRead);
    EXPECT_EQ(classify_in(ruleset, rule({addition})).treatment, Treatment::SetWrite);
    EXPECT_EQ(classify_in(ruleset, rule({lookup}, NFPROTO_IPV4)).treatment, Treatment::Exact) << "another table's set";
}

TEST(ExpressionClasses, matches_of_iptables_are_listed_one_by_one) {
    const auto match = [](std::string_view name) { return treatment(named_expression("match", 1, name)); };
    const auto target = [](std::string_view name) { return treatment(named_expression("target", 1, name)); };
    for (const auto* name : {"multiport", "addrtype", "comment", "udp"})
        EXPECT_EQ(match(name), Treatment::Exact) << name;
    for (const auto* name : {"statistic", "recent", "string", "set", "u32", "bpf", "owner", "time", "hashlimit", "tcp"})
        EXPECT_EQ(match(name), Treatment::Undecidable) << name << ", without a structure";
    EXPECT_EQ(match("limit"), Treatment::Limit);
    EXPECT_EQ(match("connmark"), Treatment::CtMark);
    EXPECT_EQ(target("DNAT"), Treatment::Exact);
    EXPECT_EQ(target("REJECT"), Treatment::Reject);
    EXPECT_EQ(target("LOG"), Treatment::Omitted);
    EXPECT_EQ(target("TPROXY"), Treatment::Undecidable);
}

}  // namespace expression_classes_test
}  // namespace headgate::testing
