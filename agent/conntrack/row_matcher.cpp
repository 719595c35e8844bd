// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/row_matcher.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

#include "conntrack/flow_message.h"

namespace headgate::conntrack {
namespace {

constexpr std::size_t kRowsPerBlock = 256;

}  // namespace

std::uint64_t fingerprint(const Flow& flow) {
    const FlowTuple& tuple = flow.original;
    std::array<std::uint64_t, 6> words = {
        std::uint64_t{flow.id} << 32U | std::uint64_t{flow.zone} << 16U | std::uint64_t{tuple.icmp_id},
        std::uint64_t{tuple.source_port} << 48U | std::uint64_t{tuple.destination_port} << 32U |
            std::uint64_t{tuple.icmp_type} << 24U | std::uint64_t{tuple.icmp_code} << 16U |
            static_cast<std::uint64_t>(tuple.protocol) << 8U | static_cast<std::uint64_t>(flow.zone_direction)};
    std::memcpy(&words[2], tuple.source.octets.data(), tuple.source.octets.size());
    std::memcpy(&words[4], tuple.destination.octets.data(), tuple.destination.octets.size());
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(words.data()), sizeof words});
}

RowMatcher::RowMatcher(const FlowQuery& query, const Moment& moment, ScanListener& listener,
                       std::size_t repetition_window)
    : query_(query), moment_(moment), listener_(listener), emitted_(repetition_window) {
    block_.reserve(kRowsPerBlock);
}

Result<void> RowMatcher::match(netlink::Bytes payload) {
    ++report_.scanned;
    if (!FlowMessage::is_internet_family(payload)) return {};
    ASSIGN_OR_RETURN(const auto& message, FlowMessage::parse(payload));
    ASSIGN_OR_RETURN(const auto& original, message.original_tuple());
    if (!may_match_filters(query_, original)) return {};
    ASSIGN_OR_RETURN(const auto& reply, message.reply_tuple());

    const Flow flow = message.decode(original, reply);
    const Verdict verdict = judge(query_, flow, moment_);
    if (verdict == Verdict::NoMatch || !emitted_.first_time(fingerprint(flow))) return {};
    return report(flow, verdict);
}

Result<void> RowMatcher::match(const Flow& flow) {
    ++report_.scanned;
    const Verdict verdict = judge(query_, flow, moment_);
    if (verdict == Verdict::NoMatch || !emitted_.first_pass(fingerprint(flow))) return {};
    return report(flow, verdict);
}

Result<void> RowMatcher::report(const Flow& flow, Verdict verdict) {
    if (verdict == Verdict::Closed) ++report_.closed;
    if (verdict == Verdict::AgeUnknown) ++report_.age_unknown;
    if (verdict == Verdict::BytesUnknown) ++report_.bytes_unknown;
    if (verdict != Verdict::Match) return {};
    ++report_.matched;
    block_.push_back({flow});
    return block_.size() < kRowsPerBlock ? Result<void>{} : flush();
}

Result<void> RowMatcher::flush() {
    if (block_.empty()) return {};
    auto received = listener_.matched(block_);
    block_.clear();
    return received;
}

void RowMatcher::restart() {
    start_over();
    ++report_.restarts;
}

bool DuplicateFilter::first_pass(std::uint64_t fingerprint) {
    if (std::ranges::binary_search(earlier_passes_, fingerprint)) return false;
    log_.push_back(fingerprint);
    return true;
}

bool DuplicateFilter::first_time(std::uint64_t fingerprint) {
    if (older_.contains(fingerprint) || recent_.contains(fingerprint) || !first_pass(fingerprint)) return false;
    recent_.insert(fingerprint);
    if (recent_.size() >= window_) {
        older_.swap(recent_);
        recent_.clear();
    }
    return true;
}

void DuplicateFilter::restart() {
    earlier_passes_.insert(earlier_passes_.end(), log_.begin(), log_.end());
    std::ranges::sort(earlier_passes_);
    log_.clear();
    recent_.clear();
    older_.clear();
}

}  // namespace headgate::conntrack
