// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sink_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "flowlog/sinks/sink_kinds.h"

namespace headgate::flowlog {
namespace {

using namespace std::chrono_literals;

}  // namespace

SinkSet SinkSet::configure(const config::FlowLog& settings) {
    SinkSet removed{output_, report_};
    auto& before = removed.members_;
    before.swap(members_);
    std::map<std::string_view, int> known;
    for (const auto& sink : settings.sinks) {
        if (!accepts(sink)) continue;
        const auto kind = kind_of(sink).name;
        const int number = ++known[kind];
        auto name = number == 1 ? std::string{kind} : fmt::format("{}_{}", kind, number);
        const auto same = std::ranges::find(before, sink, &Member::settings);
        if (same == before.end()) {
            members_.push_back(make(sink, settings.queue, std::move(name)));
            continue;
        }
        same->queue->resize(settings.queue);
        same->name = std::move(name);
        members_.push_back(std::move(*same));
        before.erase(same);
    }
    return removed;
}

SinkSet::Member SinkSet::make(const config::FlowLogSink& settings, std::uint64_t room, std::string name) const {
    auto queue = std::make_unique<SinkQueue>(name, kind_of(settings).make(settings), room, report_);
    return {settings, std::move(name), std::move(queue)};
}

void SinkSet::push(const std::shared_ptr<const LineBlock>& block) {
    for (auto& each : members_)
        each.queue->push(block);
}

void SinkSet::reopen() {
    for (auto& each : members_)
        each.queue->reopen();
}

std::vector<std::pair<std::string, SinkCounts>> SinkSet::counts() const {
    std::vector<std::pair<std::string, SinkCounts>> counts;
    for (const auto& each : members_)
        counts.emplace_back(each.name, each.queue->counts());
    return counts;
}

void SinkSet::finish(std::chrono::milliseconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    for (auto& each : members_) {
        const auto left = deadline - std::chrono::steady_clock::now();
        each.queue->finish(std::max(0ms, std::chrono::duration_cast<std::chrono::milliseconds>(left)));
    }
}

}  // namespace headgate::flowlog
