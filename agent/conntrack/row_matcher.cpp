// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/row_matcher.h"

#include <functional>
#include <string_view>

#include "conntrack/flow_message.h"

namespace headgate::conntrack {
namespace {

constexpr std::size_t kRowsPerBlock = 256;

std::uint64_t fingerprint(const FlowKey& key) {
    const netlink::Bytes bytes = key.bytes();
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

RowMatcher::RowMatcher(const FlowQuery& query, const Moment& moment, ScanListener& listener,
                       std::size_t repetition_window)
    : query_(query), moment_(moment), listener_(listener), emitted_(repetition_window) {
    block_.reserve(kRowsPerBlock);
}

Result<void> RowMatcher::take(netlink::Bytes payload) {
    ++report_.scanned;
    if (!FlowMessage::is_internet_family(payload)) return {};
    ASSIGN_OR_RETURN(const auto& message, FlowMessage::parse(payload));
    ASSIGN_OR_RETURN(const auto& original, message.original_tuple());
    if (!may_match_filters(query_, original)) return {};
    ASSIGN_OR_RETURN(const auto& reply, message.reply_tuple());

    const Flow flow = message.decode(original, reply);
    const Verdict verdict = judge(query_, flow, moment_);
    if (verdict == Verdict::NoMatch) return {};
    ASSIGN_OR_RETURN(const auto& key, message.key());
    if (!emitted_.first_time(fingerprint(key))) return {};
    if (verdict == Verdict::Closed) ++report_.closed;
    if (verdict == Verdict::AgeUnknown) ++report_.age_unknown;
    if (verdict == Verdict::BytesUnknown) ++report_.bytes_unknown;
    if (verdict != Verdict::Match) return {};
    ++report_.matched;
    block_.push_back(FlowRow{flow, key});
    return block_.size() < kRowsPerBlock ? Result<void>{} : flush();
}

Result<void> RowMatcher::flush() {
    if (block_.empty()) return {};
    auto told = listener_.matched(block_);
    block_.clear();
    return told;
}

void RowMatcher::restart() {
    emitted_.restart();
    ++report_.restarts;
}

}  // namespace headgate::conntrack
