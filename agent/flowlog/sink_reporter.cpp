// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sink_reporter.h"

#include <fmt/format.h>

#include <utility>

namespace headgate::flowlog {
namespace {

/// `1 record was`, `2 records were`
std::string records(std::uint64_t count, std::string_view verb_of_one, std::string_view verb_of_many) {
    return count == 1 ? fmt::format("1 record {}", verb_of_one) : fmt::format("{} records {}", count, verb_of_many);
}

}  // namespace

void SinkReporter::failed(const Error& error, std::uint64_t waiting, Time now) {
    // An intermittent fault, such as a UDP port without a listener, would otherwise be reported all the time.
    if (is_fault_told_ || now < next_fault_) return;
    is_fault_told_ = true;
    next_fault_ = now + pause_;
    note(fmt::format("{}: {}", error.message, records(waiting, "waits", "wait")));
}

void SinkReporter::works() {
    if (!std::exchange(is_fault_told_, false)) return;
    const auto lost = std::exchange(no_room_, 0) + std::exchange(lost_in_fault_, 0);
    note(lost == 0 ? "works again" : fmt::format("works again; {} dropped meanwhile", records(lost, "was", "were")));
}

void SinkReporter::given_up(std::uint64_t count) {
    const auto lost = std::exchange(no_room_, 0) + count;
    if (lost != 0) note(fmt::format("{} dropped, not written in time", records(lost, "was", "were")));
}

void SinkReporter::note(std::string_view text) {
    messages_.push_back(fmt::format("flow log: {}: {}", name_, text));
}

SinkReporter::Time SinkReporter::due() const {
    return no_room_ + too_long_ == 0 ? kNever : next_drop_;
}

std::vector<std::string> SinkReporter::take(Time now) {
    if (now >= due()) {
        next_drop_ = now + pause_;
        tell_drops();
    }
    return std::exchange(messages_, {});
}

void SinkReporter::tell_drops() {
    const auto no_room = std::exchange(no_room_, 0);
    const auto too_long = std::exchange(too_long_, 0);
    if (is_fault_told_) lost_in_fault_ += no_room;
    if (no_room != 0) note(fmt::format("no room for what waits: {} dropped", records(no_room, "was", "were")));
    if (too_long != 0) note(fmt::format("{} too long for it, and dropped", records(too_long, "was", "were")));
}

}  // namespace headgate::flowlog
