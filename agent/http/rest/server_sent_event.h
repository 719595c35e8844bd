// SPDX-License-Identifier: GPL-2.0-or-later
// Formats a server-sent event (WHATWG HTML, section 9.2).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace headgate::http {

constexpr std::string_view kEventStream = "text/event-stream";

/// `data` is JSON without line ends, so that one `data:` line holds it.
[[nodiscard]] inline std::string server_sent_event(std::string_view name, std::string_view data) {
    return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

}  // namespace headgate::http
