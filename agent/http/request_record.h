// SPDX-License-Identifier: GPL-2.0-or-later
// One answered request, for the access log and the metrics.
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

}  // namespace headgate::http
