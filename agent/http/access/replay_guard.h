// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out each signed request once. A recorded request that is sent again while its date is valid starts nothing,
// and returns the operation it started before. Dates are validated by the wall clock, which may be set back; so entries
// expire by elapsed time (Clock::up()), and requests signed no later than an expired entry are refused.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "headgate/clock.h"
#include "headgate/result.h"

#include "http/access/identity.h"

namespace headgate::http::access {

/// In memory: covers requests since it was created. Thread-safe.
class ReplayGuard {
  public:
    /// Maximum number of signatures, of some 200 bytes each: 37 per second for the time that each is kept.
    static constexpr std::size_t kMostSignatures = 100'000;

    /// Afterwards the request's date is too old, even if it was signed by a clock that was a window ahead.
    static constexpr auto kKeptFor = 2 * kClockWindow;

    /// Below this fraction of the maximum nothing expires, so with few signed requests all of them stay known.
    static constexpr std::size_t kKeptPart = 10;

    /// The right to start what was signed, or the operation that it has started. A claim destroyed without commit() may
    /// be made again.
    class Claim {
      public:
        Claim(Claim&& other) noexcept
            : guard_(std::exchange(other.guard_, nullptr)),
              signature_(std::move(other.signature_)),
              operation_(std::move(other.operation_)) {}
        Claim& operator=(Claim&&) = delete;
        ~Claim();

        /// Id of the operation that the request started earlier; nothing the first time.
        [[nodiscard]] const std::optional<std::string>& operation() const noexcept { return operation_; }

        /// Records the operation that was started.
        void commit(std::string operation);

      private:
        friend class ReplayGuard;
        Claim(ReplayGuard* guard, std::string signature, std::optional<std::string> operation)
            : guard_(guard), signature_(std::move(signature)), operation_(std::move(operation)) {}

        ReplayGuard* guard_;  ///< null once committed, or if there is nothing to release
        std::string signature_;
        std::optional<std::string> operation_;
    };

    explicit ReplayGuard(Timestamp made_at, std::size_t most_signatures = kMostSignatures)
        : made_at_(std::chrono::floor<std::chrono::seconds>(made_at)), most_signatures_(most_signatures) {}

    /// Signed dates have whole seconds, so `made_at` is rounded down. The claim must not outlive the guard. Busy while
    /// another claim to the signature is open, or while there is no room; Expired where it was signed before the guard
    /// was made, since a previous agent may have carried it out, or no later than an expired entry.
    [[nodiscard]] Result<Claim> claim(const RequestSignature& signature, std::string_view token,
                                      std::chrono::nanoseconds up);

  private:
    struct Entry {
        std::string token;
        std::optional<std::string> operation;  ///< absent while a claim to it is open
        Timestamp signed_at{};
        std::chrono::nanoseconds claimed_at{};  ///< by Clock::up()
    };

    void forget_expired(std::chrono::nanoseconds up);

    const Timestamp made_at_;
    const std::size_t most_signatures_;
    std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::chrono::nanoseconds tidied_at_{};
    Timestamp forgotten_until_ = Timestamp::min();  ///< expired entries were signed no later than this
};

}  // namespace headgate::http::access
