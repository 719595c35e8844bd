// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/requests_in_hand.h"

namespace headgate::http::access {

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
