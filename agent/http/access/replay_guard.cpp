// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/replay_guard.h"

#include <algorithm>

namespace headgate::http::access {
namespace {

/// Minimum time between scans for expired entries, which are slow when there are many.
constexpr std::chrono::seconds kTidyInterval{10};

}  // namespace

ReplayGuard::Claim::~Claim() {
    if (guard_ == nullptr) return;
    const std::lock_guard lock{guard_->mutex_};
    guard_->entries_.erase(signature_);
}

void ReplayGuard::Claim::commit(std::string operation) {
    auto* const guard = std::exchange(guard_, nullptr);
    const std::lock_guard lock{guard->mutex_};
    operation_ = std::move(operation);
    guard->entries_.at(signature_).operation = operation_;
}

Result<ReplayGuard::Claim> ReplayGuard::claim(const RequestSignature& signature, std::string_view token,
                                              std::chrono::nanoseconds up) {
    if (signature.signed_at < made_at_) {
        return make_error(ErrorKind::Expired,
                          "the request was signed before this agent began, and another one may have carried it out; "
                          "look at the list of operations, and sign it anew");
    }
    const std::lock_guard lock{mutex_};
    if (up >= tidied_at_ + kTidyInterval) forget_expired(up);
    if (const auto known = entries_.find(signature.hex); known != entries_.end()) {
        if (known->second.token != token) {
            return busy("another request has had this very signature; sign this one a second later");
        }
        const auto& operation = known->second.operation;
        if (!operation) return busy("the same request is being carried out; ask again in a moment");
        return Claim{nullptr, signature.hex, operation};
    }
    if (signature.signed_at <= forgotten_until_) {
        return make_error(ErrorKind::Expired,
                          "the request was signed no later than another one that was carried out over {} minutes ago, "
                          "so it may have been, too (was a clock put back?); look at the list of operations, and sign "
                          "it anew",
                          kKeptFor.count());
    }
    if (entries_.size() >= most_signatures_) {
        return busy("{} signed requests have started operations within {} minutes; ask again in a minute",
                    entries_.size(), kKeptFor.count());
    }
    entries_.emplace(signature.hex, Entry{std::string{token}, std::nullopt, signature.signed_at, up});
    return Claim{this, signature.hex, std::nullopt};
}

void ReplayGuard::forget_expired(std::chrono::nanoseconds up) {
    tidied_at_ = up;
    if (entries_.size() <= most_signatures_ / kKeptPart) return;
    std::erase_if(entries_, [&](const auto& each) {
        const auto& entry = each.second;
        const bool is_expired = entry.operation && up - entry.claimed_at > kKeptFor;
        if (is_expired) forgotten_until_ = std::max(forgotten_until_, entry.signed_at);
        return is_expired;
    });
}

}  // namespace headgate::http::access
