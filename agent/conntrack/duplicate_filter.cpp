// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/duplicate_filter.h"

#include <algorithm>

namespace headgate::conntrack {

bool DuplicateFilter::first_time(std::uint64_t fingerprint) {
    if (older_.contains(fingerprint)) return false;
    if (std::ranges::binary_search(earlier_passes_, fingerprint)) return false;
    if (!recent_.insert(fingerprint).second) return false;
    log_.push_back(fingerprint);
    if (recent_.size() >= window_) {
        older_.swap(recent_);
        recent_.clear();
    }
    return true;
}

void DuplicateFilter::restart() {
    earlier_passes_.insert(earlier_passes_.end(), log_.begin(), log_.end());
    std::ranges::sort(earlier_passes_);
    log_.clear();
    recent_.clear();
    older_.clear();
}

}  // namespace headgate::conntrack
