// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/table_peaks.h"

#include <algorithm>

namespace headgate::gateway {

std::uint64_t TablePeaks::note(const Endpoint& endpoint, std::uint64_t in_use) {
    const std::lock_guard lock{mutex_};
    const auto known = std::ranges::find(peaks_, endpoint, &std::pair<Endpoint, std::uint64_t>::first);
    if (known == peaks_.end()) {
        peaks_.emplace_back(endpoint, in_use);
        return in_use;
    }
    return known->second = std::max(known->second, in_use);
}

}  // namespace headgate::gateway
