// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/protection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headgate::operations {
namespace {

std::string flows(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} flow{} {}", count, count == 1 ? "" : "s", count == 1 ? one : many);
}

}  // namespace

Protection::Protection(const OperationRequest& request)
    : guard_(request.ssh), unknown_(either_way(request.ssh.unknown)) {
    const auto add = [this](std::string rule, const std::vector<FlowFilter>& filters) {
        rules_.push_back({{std::move(rule), 0}, either_way(filters)});
    };
    add(guard_.is_own ? "SSH session of the caller" : "SSH sessions into this machine", guard_.sessions);
    if (request.own_flows) add("connection of the caller to the agent", {*request.own_flows});
    for (const auto& filter : request.protected_filters)
        add("protected: " + to_string(filter), {filter});
}

bool Protection::includes(const Flow& flow) const noexcept {
    return std::ranges::any_of(
        rules_, [&](const Rule& rule) { return matches_filters(rule.flows, flow.original, flow.reply); });
}

bool Protection::count(const Flow& flow) noexcept {
    const auto rule = std::ranges::find_if(
        rules_, [&](const Rule& each) { return matches_filters(each.flows, flow.original, flow.reply); });
    if (rule != rules_.end()) {
        ++rule->counted.flows;
    } else if (matches_filters(unknown_, flow.original, flow.reply)) {
        ++unknown_counted_;
    }
    return rule != rules_.end();
}

std::vector<ProtectedBy> Protection::counts() const {
    std::vector<ProtectedBy> counts;
    for (const auto& rule : rules_)
        if (rule.counted.flows != 0) counts.push_back(rule.counted);
    return counts;
}

void Protection::append_warnings(std::vector<std::string>& warnings) const {
    if (!guard_.fault.empty()) {
        warnings.push_back(fmt::format(
            "SSH sessions into this machine could not be looked for, so one may be flushed: {}", guard_.fault));
    }
    const auto sessions = rules_.front().counted.flows;
    if (sessions != 0 && !guard_.is_own) {
        warnings.push_back(
            fmt::format("{} left alone as SSH sessions into this machine: which one is the caller's is "
                        "not known",
                        flows(sessions, "is", "are")));
    }
    if (unknown_counted_ != 0) {
        warnings.push_back(
            fmt::format("{} into this machine, to a process that cannot be seen from here, and not left "
                        "alone: if it serves SSH, name its port in protected",
                        flows(unknown_counted_, "is a connection", "are connections")));
    }
}

}  // namespace headgate::operations
