// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/packed_verdict.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace headgate::operations {
namespace {

namespace verdict_part {
constexpr std::uint8_t kResult = 3U;  // two bits
constexpr std::uint8_t kRule = 1U << 2U;
constexpr std::uint8_t kHandle = 1U << 3U;
constexpr std::uint8_t kThen = 1U << 4U;
constexpr std::uint8_t kThenIpv6 = 1U << 5U;
constexpr unsigned kKindShift = 6;  // two bits: 0 for none, else the kind plus one
}  // namespace verdict_part

static_assert(kNames<VerdictResult>.size() == 4 && kNames<RefusalKind>.size() == 3);

/// Numbers and addresses of a verdict.
using VerdictWriter = PackedWriter<64>;

void append_bytes(PackedBytes& out, std::span<const std::byte> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(PackedBytes& out, std::uint64_t number) {
    VerdictWriter writer;
    writer.number(number);
    append_bytes(out, writer.bytes());
}

void append_text(PackedBytes& out, std::string_view text) {
    append_number(out, text.size());
    append_bytes(out, std::as_bytes(std::span{text}));
}

std::uint8_t parts_of(const FlowVerdict& verdict) {
    namespace part = verdict_part;
    auto parts = static_cast<unsigned>(verdict.result);
    if (verdict.rule) parts |= part::kRule;
    if (verdict.rule && verdict.rule->handle) parts |= part::kHandle;
    if (verdict.then) parts |= part::kThen;
    if (verdict.then && verdict.then->destination.family == Family::Ipv6) parts |= part::kThenIpv6;
    if (verdict.kind) parts |= (static_cast<unsigned>(*verdict.kind) + 1) << part::kKindShift;
    return static_cast<std::uint8_t>(parts);
}

RuleReference read_rule(PackedReader& in, bool has_handle) {
    RuleReference rule;
    rule.family = in.text();
    rule.table = in.text();
    rule.chain = in.text();
    rule.text = in.text();
    if (has_handle) rule.handle = in.number<std::uint64_t>();
    return rule;
}

Translation read_translation(PackedReader& in, Family family) {
    Translation then;
    then.source = in.address(family);
    then.destination = in.address(family);
    then.destination_port = in.fixed<std::uint16_t>();
    return then;
}

}  // namespace

void append_verdict(PackedBytes& out, const FlowVerdict& verdict) {
    out.push_back(std::byte{parts_of(verdict)});
    if (const auto& rule = verdict.rule) {
        for (const auto* text : {&rule->family, &rule->table, &rule->chain, &rule->text})
            append_text(out, *text);
        if (rule->handle) append_number(out, *rule->handle);
    }
    if (const auto& then = verdict.then) {
        VerdictWriter writer;
        writer.address(then->source);
        writer.address(then->destination);
        writer.fixed(then->destination_port);
        append_bytes(out, writer.bytes());
    }
    append_number(out, verdict.assumes.size());
    for (const auto& each : verdict.assumes)
        append_text(out, each);
    append_text(out, verdict.reason);
}

FlowVerdict read_verdict(PackedReader& in) {
    namespace part = verdict_part;
    const std::uint8_t parts = in.octet();
    const auto has = [&](std::uint8_t one) { return (parts & one) != 0; };
    FlowVerdict verdict;
    verdict.result = static_cast<VerdictResult>(parts & part::kResult);
    if (const unsigned kind = parts >> part::kKindShift; kind != 0) verdict.kind = static_cast<RefusalKind>(kind - 1);
    if (has(part::kRule)) verdict.rule = read_rule(in, has(part::kHandle));
    if (has(part::kThen)) verdict.then = read_translation(in, has(part::kThenIpv6) ? Family::Ipv6 : Family::Ipv4);
    const auto assumes = in.number<std::uint64_t>();
    for (std::uint64_t i = 0; i < assumes && in.good(); ++i)
        verdict.assumes.push_back(in.text());
    verdict.reason = in.text();
    return verdict;
}

}  // namespace headgate::operations
