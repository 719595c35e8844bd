// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/whole_operation_id.h"

#include <algorithm>
#include <span>

#include "base/printable.h"
#include "base/text.h"

namespace headgate::gateway {
namespace {

constexpr std::size_t kIdSize = 36;         // of a UUID (RFC 9562, section 4)
constexpr std::size_t kMostCandidates = 8;  // named in an error

}  // namespace

bool is_operation_id(std::string_view text) {
    const auto may_be_in_id = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
    };
    return text.size() >= kShortestId && text.size() <= kIdSize && text.front() != '-' &&
           std::ranges::all_of(text, may_be_in_id);
}

bool is_short_id(std::string_view text) {
    return is_operation_id(text) && text.size() < kIdSize;
}

Result<std::string> parse_operation_id(std::string_view text) {
    if (!is_operation_id(text)) {
        return invalid("{}", to_one_line(fmt::format(
                                 "\"{}\" is neither an operation's id nor the first {} or more characters of one", text,
                                 kShortestId)));
    }
    std::string id{text};
    std::ranges::transform(id, id.begin(), to_lower);
    return id;
}

Result<std::string> whole_operation_id(FlowOperations& operations, std::string_view text) {
    if (!is_short_id(text)) return std::string{text};
    OperationSelection selection;
    ASSIGN_OR_RETURN(selection.id_begin, parse_operation_id(text));
    selection.at_most = kMostCandidates + 1;
    ASSIGN_OR_RETURN(const auto found, operations.list(selection));
    if (found.empty()) return std::string{text};
    if (found.size() == 1) return found.front().id;
    std::string names;
    for (const auto& each : std::span{found}.first(std::min(found.size(), kMostCandidates)))
        names.append(names.empty() ? "" : ", ").append(each.id);
    return invalid("{} begins the ids of several operations: {}{}", text, names,
                   found.size() > kMostCandidates ? ", and others" : "");
}

}  // namespace headgate::gateway
