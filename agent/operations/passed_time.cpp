// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/passed_time.h"

#include <algorithm>
#include <string>

namespace headgate::operations {

Poco::Int64 note_passed_time(Poco::Data::Session& session, const Clock& clock) {
    using namespace Poco::Data::Keywords;
    const auto now_up = clock.uptime();
    Poco::Int64 seconds = 0;
    Poco::Int64 uptime = 0;
    std::string boot;
    session << "SELECT seconds, boot, uptime FROM passed_time", into(seconds), into(boot), into(uptime), now;
    if (now_up.boot.empty()) return seconds;  // another process may know, and continues from the last entry
    const bool is_same_boot = !boot.empty() && boot == now_up.boot;
    const Poco::Int64 up = now_up.up.count();
    if (is_same_boot && up <= uptime) return seconds;
    if (is_same_boot) seconds += up - uptime;
    session << "INSERT OR REPLACE INTO passed_time (one, seconds, boot, uptime) VALUES (1, ?, ?, ?)", bind(seconds),
        bind(now_up.boot), bind(up), now;
    return seconds;
}

}  // namespace headgate::operations
