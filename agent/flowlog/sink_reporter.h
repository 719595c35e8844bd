// SPDX-License-Identifier: GPL-2.0-or-later
// Rate-limited messages to the operator about a sink's faults and drops.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

namespace headgate::flowlog {

/// Collects events; take() returns the messages that are due. A fault is reported once, as is its end; drops are
/// reported when they begin, and then as a count once per `pause`. Not thread-safe.
class SinkReporter {
  public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr Time kNever = Time::max();

    /// `pause`: minimum time between two messages of one kind.
    SinkReporter(std::string name, std::chrono::milliseconds pause) : name_(std::move(name)), pause_(pause) {}

    void failed(const Error& error, std::uint64_t waiting, Time now);
    void works();
    void no_room(std::uint64_t records) { no_room_ += records; }
    void too_long(std::uint64_t records) { too_long_ += records; }
    void given_up(std::uint64_t count);
    void note(std::string_view text);

    [[nodiscard]] std::vector<std::string> take(Time now);

    /// When to call take() again; kNever: no message is pending.
    [[nodiscard]] Time due() const;

  private:
    void tell_drops();

    std::string name_;
    std::chrono::milliseconds pause_;
    std::uint64_t no_room_ = 0;        ///< records not reported yet
    std::uint64_t too_long_ = 0;       ///< likewise
    std::uint64_t lost_in_fault_ = 0;  ///< already reported; summed up when the sink works again
    bool is_fault_told_ = false;
    Time next_fault_;
    Time next_drop_;
    std::vector<std::string> messages_;
};

}  // namespace headgate::flowlog
