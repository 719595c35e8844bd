// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/recent_flow_buffer.h"

#include <algorithm>

namespace headgate::flowlog {

void RecentFlowBuffer::add(Batch ended) {
    if (ended.empty()) return;
    const auto count = ended.size();
    if (count > kKept) ended = {ended.end() - static_cast<std::ptrdiff_t>(kKept), ended.end()};
    auto flows = std::make_shared<const Batch>(std::move(ended));
    const std::lock_guard lock{mutex_};
    end_ += count;
    batches_.push_back({end_ - flows->size(), std::move(flows)});
    while (batches_.size() > 1 && end_ - batches_[1].first >= kKept)
        batches_.pop_front();
    added_.notify_all();
}

void RecentFlowBuffer::close() {
    const std::lock_guard lock{mutex_};
    is_closed_ = true;
    added_.notify_all();
}

bool RecentFlowBuffer::is_closed() const {
    const std::lock_guard lock{mutex_};
    return is_closed_;
}

std::uint64_t RecentFlowBuffer::end() const {
    const std::lock_guard lock{mutex_};
    return end_;
}

RecentFlowBuffer::Part RecentFlowBuffer::from(std::uint64_t position, std::chrono::milliseconds at_most) const {
    std::unique_lock lock{mutex_};
    added_.wait_for(lock, at_most, [&] { return end_ > position || is_closed_; });
    Part part;
    part.first = end_;
    if (position >= end_) return part;
    const auto behind = std::ranges::upper_bound(batches_, position, {}, &Kept::first);
    const auto& kept = behind == batches_.begin() ? *behind : *std::prev(behind);
    part.batch = kept.flows;
    part.first = std::max(position, kept.first);
    part.flows = std::span{*kept.flows}.subspan(part.first - kept.first);
    part.missed = part.first - position;
    return part;
}

}  // namespace headgate::flowlog
