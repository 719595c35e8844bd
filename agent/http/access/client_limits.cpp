// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/client_limits.h"

#include <algorithm>
#include <cmath>

namespace headgate::http::access {

std::optional<std::chrono::seconds> RateLimiter::wait_for(std::string_view who,
                                                          std::chrono::steady_clock::time_point now) {
    const std::lock_guard lock{mutex_};
    auto& bucket = bucket_of(who, now);
    // Threads may get here in another order than they read the clock.
    now = std::max(now, bucket.filled_at);
    const std::chrono::duration<double> since = now - bucket.filled_at;
    bucket.filled_at = now;
    bucket.requests = std::min(burst_, bucket.requests + since.count() * per_second_);
    if (bucket.requests >= 1) {
        bucket.requests -= 1;
        return std::nullopt;
    }
    return std::chrono::ceil<std::chrono::seconds>(std::chrono::duration<double>{(1 - bucket.requests) / per_second_});
}

RateLimiter::Bucket& RateLimiter::bucket_of(std::string_view who, std::chrono::steady_clock::time_point now) {
    if (const auto known = by_name_.find(who); known != by_name_.end()) {
        buckets_.splice(buckets_.begin(), buckets_, known->second);
        return buckets_.front();
    }
    if (buckets_.size() >= most_names_) {
        by_name_.erase(buckets_.back().name);
        buckets_.pop_back();
    }
    auto& bucket = buckets_.emplace_front(Bucket{std::string{who}, burst_, now});
    by_name_.emplace(bucket.name, buckets_.begin());
    return bucket;
}

std::shared_ptr<void> RequestsInHand::enter(const std::string& who) {
    {
        const std::lock_guard lock{mutex_};
        auto& count = counts_[who];
        if (count >= most_of_one_) return nullptr;
        ++count;
    }
    return {this, [self = shared_from_this(), who](void*) { self->leave(who); }};
}

void RequestsInHand::leave(const std::string& who) {
    const std::lock_guard lock{mutex_};
    const auto found = counts_.find(who);
    if (--found->second == 0) counts_.erase(found);
}

}  // namespace headgate::http::access
