// SPDX-License-Identifier: GPL-2.0-or-later
// Rate-limited messages to the operator about a sink's faults and drops.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/result.h"

namespace headgate::flowlog {

/// Collects events for messages(). A fault is reported once, as is its end; drops are reported when they begin, and
/// then as a count once per `pause`. Not thread-safe.
class SinkReporter {
  public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr Time kNever = Time::max();

    /// `pause`: minimum time between two messages of one kind.
    SinkReporter(std::string name, std::chrono::milliseconds pause) : name_(std::move(name)), pause_(pause) {}

    void failed(const Error& error, std::uint64_t waiting, Time now) {
        // An intermittent fault, such as a UDP port without a listener, would otherwise be reported all the time.
        if (is_fault_noted_ || now < next_fault_) return;
        is_fault_noted_ = true;
        next_fault_ = now + pause_;
        note(fmt::format("{}: {}", error.message, records(waiting, "waits", "wait")));
    }
    void works() {
        if (!std::exchange(is_fault_noted_, false)) return;
        const auto lost = std::exchange(no_room_, 0) + std::exchange(lost_in_fault_, 0);
        note(lost == 0 ? "works again"
                       : fmt::format("works again; {} dropped meanwhile", records(lost, "was", "were")));
    }
    void no_room(std::uint64_t count) { no_room_ += count; }
    void too_long(std::uint64_t count) { too_long_ += count; }
    void given_up(std::uint64_t count) {
        const auto lost = std::exchange(no_room_, 0) + count;
        if (lost != 0) note(fmt::format("{} dropped, not written in time", records(lost, "was", "were")));
    }
    void note(std::string_view text) { messages_.push_back(fmt::format("flow log: {}: {}", name_, text)); }

    /// The messages that are due.
    [[nodiscard]] std::vector<std::string> messages(Time now) {
        if (now >= due()) {
            next_drop_ = now + pause_;
            note_drops();
        }
        return std::exchange(messages_, {});
    }

    /// When to call messages() again; kNever: no message is pending.
    [[nodiscard]] Time due() const { return no_room_ + too_long_ == 0 ? kNever : next_drop_; }

  private:
    void note_drops() {
        const auto no_room = std::exchange(no_room_, 0);
        const auto too_long = std::exchange(too_long_, 0);
        if (is_fault_noted_) lost_in_fault_ += no_room;
        if (no_room != 0) note(fmt::format("no room for what waits: {} dropped", records(no_room, "was", "were")));
        if (too_long != 0) note(fmt::format("{} too long for it, and dropped", records(too_long, "was", "were")));
    }

    /// `1 record was`, `2 records were`
    static std::string records(std::uint64_t count, std::string_view verb_of_one, std::string_view verb_of_many) {
        return count == 1 ? fmt::format("1 record {}", verb_of_one) : fmt::format("{} records {}", count, verb_of_many);
    }

    std::string name_;
    std::chrono::milliseconds pause_;
    std::uint64_t no_room_ = 0;        ///< records not reported yet
    std::uint64_t too_long_ = 0;       ///< likewise
    std::uint64_t lost_in_fault_ = 0;  ///< already reported; summed up when the sink works again
    bool is_fault_noted_ = false;
    Time next_fault_;
    Time next_drop_;
    std::vector<std::string> messages_;
};

}  // namespace headgate::flowlog
