// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/instrumentation.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "rematch/expressions.h"

namespace headgate::rematch {
namespace {

/// Whether the expression changes the packet's way, the packet, its connection or a set that rules read.
bool acts(const Expression& expression, const ExpressionClass& found) {
    switch (found.treatment) {
        case Treatment::Omitted:
        case Treatment::Limit:
        case Treatment::OverLimit:
            return false;
        default:
            return !only_reads(expression);
    }
}

/// The conditions that hold whenever the rule matches, and have the same result in the copy: expressions that are exact
/// and read no register that others may have written; up to the first that acts, since what follows it does not keep it
/// from acting.
std::vector<Expression> decidable_conditions(const RuleBytecode& rule, const std::vector<ExpressionClass>& classes) {
    std::vector<Expression> conditions;
    std::uint32_t tainted = 0;  // registers whose contents are unknown
    std::uint32_t loaded = 0;   // registers that a look-up may read: its key is as long as what was loaded for it
    for (std::size_t i = 0; i < rule.expressions.size(); ++i) {
        const auto& expression = rule.expressions[i];
        if (acts(expression, classes[i])) break;
        auto use = registers_of(expression);
        if (expression.name == "lookup") use.reads &= loaded;
        const bool certain = classes[i].treatment == Treatment::Exact && (use.reads & tainted) == 0;
        if (certain) conditions.push_back(expression);
        if (!certain) tainted |= use.writes;
        if (certain) tainted &= ~use.writes;
        if (expression.name == "cmp" || expression.name == "range" || expression.name == "lookup") loaded &= ~use.reads;
        loaded |= use.writes;
    }
    return conditions;
}

/// For an expression that reads a mark or label: matches where it reads 0.
std::vector<Expression> reads_nothing(Treatment treatment) {
    constexpr std::array<std::uint8_t, 16> kZeros{};
    const std::span zeros{kZeros};
    switch (treatment) {
        case Treatment::PacketMark:
            return {load_meta(NFT_META_MARK, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, zeros.first(4))};
        case Treatment::CtMark:
            return {load_ct(NFT_CT_MARK, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, zeros.first(4))};
        case Treatment::CtLabels:
            return {load_ct(NFT_CT_LABELS, NFT_REG_1), compare(NFT_CMP_EQ, NFT_REG_1, zeros)};
        default:
            return {};
    }
}

/// Whether the expression may load the source port, or ICMP's identifier. What is only compared was loaded before.
bool may_read_source_port(const RuleBytecode& rule, std::size_t index) {
    const auto& [name, data] = rule.expressions[index];
    if (name == "ct") return number_in(data, NFTA_CT_KEY) == NFT_CT_PROTO_SRC;
    if (name == "match") {
        constexpr std::string_view kReadNoPorts[] = {"addrtype", "comment", "connmark", "limit", "mark", "state"};
        return std::ranges::find(kReadNoPorts, text_in(data, NFTA_MATCH_NAME)) == std::end(kReadNoPorts);
    }
    if (name != "payload" || number_in(data, NFTA_PAYLOAD_BASE) < NFT_PAYLOAD_TRANSPORT_HEADER) return false;
    const auto offset = number_in(data, NFTA_PAYLOAD_OFFSET);
    const auto end = offset + number_in(data, NFTA_PAYLOAD_LEN);
    const auto transport = packet_kind_before(rule, index).transport;
    if (transport == IPPROTO_ICMP || transport == IPPROTO_ICMPV6) return end > 2;
    const bool destination_port = offset >= 2 && end <= 4;
    const bool tcp_flags = offset >= 12 && transport == IPPROTO_TCP;
    return !destination_port && !tcp_flags;
}

class Instrumenter {
  public:
    Instrumenter(const RulesetBytecode& ruleset, bool other_link_types)
        : ruleset_(ruleset), classes_(ruleset, other_link_types) {}

    void add(std::size_t index) {
        const auto& rule = ruleset_.rules[index];
        std::vector<ExpressionClass> classes;
        bool decides = false;
        for (std::size_t i = 0; i < rule.expressions.size(); ++i) {
            classes.push_back(classes_.classify(rule, i));
            decides |= acts(rule.expressions[i], classes.back());
            note_zone(rule.expressions[i]);
            result_.reads_source_ports |= may_read_source_port(rule, i);
        }
        if (!decides) return;

        const auto conditions = decidable_conditions(rule, classes);
        std::vector<Expression> copied;
        for (std::size_t i = 0; i < rule.expressions.size(); ++i) {
            const auto treatment = classes[i].treatment;
            if (treatment > Treatment::Reject) add_tripwire(index, classes[i], conditions);
            if (treatment == Treatment::Undecidable || treatment == Treatment::OverLimit) return;
            if (treatment == Treatment::Omitted || treatment == Treatment::Limit || treatment == Treatment::SetWrite) {
                continue;
            }
            copied.push_back(treatment == Treatment::Reject ? verdict(NF_DROP) : rule.expressions[i]);
        }
        result_.rules.push_back({index, std::nullopt, std::move(copied)});
    }

    [[nodiscard]] InstrumentedRuleset finish() && { return std::move(result_); }

  private:
    void note_zone(const Expression& expression) {
        const auto& data = expression.data;
        result_.sets_zones |=
            expression.name == "ct" && has(data, NFTA_CT_SREG) && number_in(data, NFTA_CT_KEY) == NFT_CT_ZONE;
    }

    void add_tripwire(std::size_t rule, const ExpressionClass& found, std::vector<Expression> conditions) {
        const auto further = reads_nothing(found.treatment);
        conditions.insert(conditions.end(), further.begin(), further.end());
        append_trace(conditions);
        result_.rules.push_back({rule, result_.tripwires.size(), std::move(conditions)});
        result_.tripwires.push_back({found, rule});
    }

    const RulesetBytecode& ruleset_;
    ExpressionClasses classes_;
    InstrumentedRuleset result_;
};

}  // namespace

InstrumentedRuleset instrument(const RulesetBytecode& ruleset, bool other_link_types) {
    Instrumenter instrumenter{ruleset, other_link_types};
    for (std::size_t i = 0; i < ruleset.rules.size(); ++i)
        instrumenter.add(i);
    return std::move(instrumenter).finish();
}

}  // namespace headgate::rematch
