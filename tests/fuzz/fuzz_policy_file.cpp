// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any text as a policy: the result is an error of one line with a location, or a valid policy.
#include <cstdlib>
#include <string_view>

#include "midstream/policy_file.h"

namespace {

using namespace headgate;

bool tells_where(const Error& error) {
    return error.kind == ErrorKind::Invalid && error.message.starts_with("fuzz.yaml:") &&
           error.message.find_first_of("\n\r\x1b") == std::string::npos;
}

bool keeps_its_rules(const StreamExceptionPolicy& policy) {
    using Policy = StreamExceptionPolicy;
    const bool log_fits =
        !policy.log || (!policy.log->prefix.empty() && policy.log->prefix.size() <= kLongestLogPrefix &&
                        policy.log->packets_per_second - 1 < 10'000);
    return log_fits && !policy.hooks.empty() && policy.hooks.size() <= 3 && policy.priority >= Policy::kFirstPriority &&
           policy.priority <= Policy::kLastPriority && policy.remember_flushed_for.count() >= 1 &&
           policy.remember_flushed_for <= Policy::kLongestMemory &&
           policy.remember_at_most - 1 < Policy::kLargestMemory;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto policy = midstream::parse_policy({reinterpret_cast<const char*>(data), size}, "fuzz", "fuzz.yaml");
    if (policy ? !keeps_its_rules(*policy) : !tells_where(policy.error())) std::abort();
    return 0;
}
