// SPDX-License-Identifier: GPL-2.0-or-later
// One answered request, for the metrics and the access log.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/flow_operation.h"

namespace headgate::http {

struct RequestRecord {
    Caller caller;
    std::string method;      ///< as sent
    std::string path;        ///< as sent, without the query
    std::string_view route;  ///< Response::route; empty where the path has no route
    int status = 0;
    std::uint64_t bytes = 0;  ///< of the response's body, as far as sent
    std::chrono::nanoseconds duration{0};
    bool cut = false;  ///< the response was not sent completely
};

/// The access log's line, `sigv4:AKIDEXAMPLE@10.0.0.9 POST / aws:StartFlowFlush 200 133 bytes 1.8 ms`: client (the
/// face, with user and address as far as known), method, path, the route where the path does not name it, status, bytes
/// of the body, duration; then `cut` if the response was cut off. One line of bounded length whatever the client sent:
/// unprintable characters and blanks become `?`, so that a client cannot forge fields.
[[nodiscard]] std::string access_line(const RequestRecord& record);

}  // namespace headgate::http
