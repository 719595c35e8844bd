#include "gateway/replay_guard.h"

#include <cerrno>

namespace headgate::gateway {
namespace {

/// Between two looks for what has expired: each takes a while when there are many.
constexpr std::chrono::seconds kTidyInterval{10};

tl::unexpected<Error> refused_with(int number, std::string message) {
    return tl::unexpected(Error{ErrorKind::Refused, std::move(message), number});
}

}  // namespace

ReplayGuard::Claim::~Claim() {
    if (guard_ == nullptr) return;
    const std::lock_guard lock{guard_->mutex_};
    guard_->entries_.erase(signature_);
}

void ReplayGuard::Claim::settle(std::string operation) {
    auto* const guard = std::exchange(guard_, nullptr);
    const std::lock_guard lock{guard->mutex_};
    operation_ = std::move(operation);
    guard->entries_.at(signature_).operation = operation_;
}

Result<ReplayGuard::Claim> ReplayGuard::claim(const Proof& proof, std::string_view token, Timestamp now) {
    if (proof.signed_at < made_at_) {
        return refused_with(ESTALE,
                            "the request was signed before this agent began, and another one may have carried it out; "
                            "look at the list of operations, and sign it anew");
    }
    const std::lock_guard lock{mutex_};
    if (now >= tidied_at_ + kTidyInterval || now < tidied_at_) forget_expired(now);
    if (const auto known = entries_.find(proof.signature); known != entries_.end()) {
        if (known->second.token != token) {
            return refused_with(EBUSY, "another request has had this very signature; sign this one a second later");
        }
        const auto& operation = known->second.operation;
        if (!operation) return refused_with(EBUSY, "the same request is being carried out; ask again in a moment");
        return Claim{nullptr, proof.signature, operation};
    }
    if (entries_.size() >= most_signatures_) {
        return refused_with(EBUSY,
                            fmt::format("{} signed requests have started operations within {} minutes; ask again "
                                        "in a minute",
                                        entries_.size(), kKeptFor.count()));
    }
    entries_.emplace(proof.signature, Entry{std::string{token}, std::nullopt, proof.signed_at});
    return Claim{this, proof.signature, std::nullopt};
}

void ReplayGuard::forget_expired(Timestamp now) {
    tidied_at_ = now;
    std::erase_if(entries_, [&](const auto& each) {
        const auto& entry = each.second;
        return entry.operation && now - entry.signed_at > kKeptFor;
    });
}

}  // namespace headgate::gateway
