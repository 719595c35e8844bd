// One request that was answered, as the daemon's log and the metrics tell of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "headgate/flow_operation.h"

namespace headgate::http {

struct RequestRecord {
    Caller caller;
    std::string method;      ///< as it was sent
    std::string path;        ///< likewise, without its query
    std::string_view route;  ///< as Answer has it; empty where nothing was found at the path
    int status = 0;
    std::uint64_t bytes = 0;  ///< of the answer's body, as far as it was sent
    std::chrono::nanoseconds duration{0};
    bool cut = false;  ///< the answer was not sent to its end
};

}  // namespace headgate::http
