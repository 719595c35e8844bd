// SPDX-License-Identifier: GPL-2.0-or-later
// Server-sent events (WHATWG HTML, section 9.2).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

constexpr std::string_view kEventStream = "text/event-stream";

/// An event. `data` is JSON without line ends, so that one `data:` line holds it.
[[nodiscard]] std::string server_sent_event(std::string_view name, std::string_view data);

/// A comment, which clients ignore.
[[nodiscard]] std::string server_sent_comment(std::string_view text);

/// Sends the states of something that is read again and again.
class EventStream {
  public:
    /// After `keep_alive` without an event, a comment is sent. `send` must outlive this object.
    EventStream(std::chrono::milliseconds keep_alive, const BodySink& send) : keep_alive_(keep_alive), send_(send) {}

    [[nodiscard]] Result<void> event(std::string_view name, std::string_view data);

    /// Sends an event if the data have changed since the last one; otherwise the comment when it is due.
    [[nodiscard]] Result<void> state(std::string_view name, std::string data, std::string_view unchanged);

  private:
    [[nodiscard]] Result<void> write(std::string_view text);

    const std::chrono::milliseconds keep_alive_;
    const BodySink& send_;
    std::string data_;  ///< of the last state
    std::chrono::steady_clock::time_point sent_at_ = std::chrono::steady_clock::now();
};

}  // namespace headgate::http
