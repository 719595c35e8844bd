#include "flowlog/recent_ends.h"

#include <algorithm>

namespace headgate::flowlog {

void RecentEnds::add(std::vector<EndedFlow> ended) {
    if (ended.empty()) return;
    const std::lock_guard lock{mutex_};
    end_ += ended.size();
    if (ended.size() > kKept) ended = {ended.end() - static_cast<std::ptrdiff_t>(kKept), ended.end()};
    count_ += ended.size();
    batches_.push_back(std::move(ended));
    while (count_ - batches_.front().size() >= kKept) {
        count_ -= batches_.front().size();
        batches_.pop_front();
    }
    added_.notify_all();
}

void RecentEnds::close() {
    const std::lock_guard lock{mutex_};
    is_closed_ = true;
    added_.notify_all();
}

bool RecentEnds::is_closed() const {
    const std::lock_guard lock{mutex_};
    return is_closed_;
}

RecentEnds::Part RecentEnds::from(std::uint64_t position, std::chrono::milliseconds at_most) const {
    std::unique_lock lock{mutex_};
    added_.wait_for(lock, at_most, [&] { return end_ > position || is_closed_; });
    const auto first = std::clamp(position, end_ - count_, end_);
    Part part;
    auto skip = first - (end_ - count_);
    for (const auto& batch : batches_) {
        const auto skipped = std::min<std::uint64_t>(skip, batch.size());
        part.flows.insert(part.flows.end(), batch.begin() + static_cast<std::ptrdiff_t>(skipped), batch.end());
        skip -= skipped;
    }
    part.next = end_;
    part.missed = first - std::min(first, position);
    return part;
}

}  // namespace headgate::flowlog
