// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/event_stream.h"

#include <fmt/format.h>

#include <utility>

namespace headgate::http {

std::string server_sent_event(std::string_view name, std::string_view data) {
    return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

std::string server_sent_comment(std::string_view text) {
    return fmt::format(": {}\n\n", text);
}

Result<void> EventStream::event(std::string_view name, std::string_view data) {
    return write(server_sent_event(name, data));
}

Result<void> EventStream::state(std::string_view name, std::string data, std::string_view unchanged) {
    if (data != data_) {
        data_ = std::move(data);
        return event(name, data_);
    }
    const bool is_due = std::chrono::steady_clock::now() - sent_at_ >= keep_alive_;
    return is_due ? write(server_sent_comment(unchanged)) : Result<void>{};
}

Result<void> EventStream::write(std::string_view text) {
    sent_at_ = std::chrono::steady_clock::now();
    return send_(text);
}

}  // namespace headgate::http
