// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any text as a policy: the result is errors, each a line with a location, or a valid policy.
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "config/settings_reader.h"
#include "midstream/policy_file.h"

namespace {

using namespace headgate;

bool tells_where(const Error& error) {
    if (error.kind != ErrorKind::Invalid || error.message.find_first_of("\r\x1b") != std::string::npos) return false;
    std::size_t count = 0;
    for (std::string_view rest = error.message; !rest.empty();) {
        const bool is_last = ++count > config::kMostErrors;
        if (!take_until(rest, '\n').starts_with(is_last ? "... and " : "fuzz.yaml:")) return false;
    }
    return count > 0;
}

bool keeps_its_rules(const StreamExceptionPolicy& policy) {
    using Policy = StreamExceptionPolicy;
    const auto memory = policy.window_time();
    const bool log_fits =
        !policy.log || (!policy.log->prefix.empty() && policy.log->prefix.size() <= kLongestLogPrefix &&
                        policy.log->packets_per_second - 1 < 10'000);
    return log_fits && !policy.hooks.empty() && policy.hooks.size() <= 3 && policy.priority >= Policy::kFirstPriority &&
           policy.priority <= Policy::kLastPriority && memory.count() >= 1 && memory <= Policy::kLongestMemory &&
           policy.remember_at_most - 1 < Policy::kLargestMemory;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto policy = midstream::parse_policy({reinterpret_cast<const char*>(data), size}, "fuzz", "fuzz.yaml");
    if (policy ? !keeps_its_rules(*policy) : !tells_where(policy.error())) std::abort();
    return 0;
}
