// Sees to it that a signed order is carried out once: whoever has recorded the request, and sends it again while its
// date is good, is told what it has started and starts nothing.
//
// A date is good by a wall clock, which may be put back; so what is forgotten goes by time that has passed
// (Clock::up()), and of what was forgotten it is known up to which date it was signed: nothing so old is carried out
// any more.
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

#include "http/access/request_signature.h"

namespace headgate::http::access {

/// Knows, in memory alone, what has been started since it was made. Thread-safe.
class ReplayGuard {
  public:
    /// Signatures that are kept at most, of some 200 bytes each: 37 a second for as long as each of them is kept.
    static constexpr std::size_t kMostSignatures = 100'000;

    /// After which a request has too old a date, though it was signed by a clock that was a window ahead.
    static constexpr auto kKeptFor = 2 * kClockWindow;

    /// The part of them that nothing is forgotten of, however long ago it was: where few orders are signed, all are
    /// known.
    static constexpr std::size_t kKeptPart = 10;

    /// The right to start what was signed, or the operation that it has started. What is given up without settle() may
    /// be tried again.
    class Claim {
      public:
        Claim(Claim&& other) noexcept
            : guard_(std::exchange(other.guard_, nullptr)),
              signature_(std::move(other.signature_)),
              operation_(std::move(other.operation_)) {}
        Claim& operator=(Claim&&) = delete;
        ~Claim();

        /// The id of the operation that was started before; nothing where this is the first time.
        [[nodiscard]] const std::optional<std::string>& operation() const noexcept { return operation_; }

        /// What was signed has started this operation.
        void settle(std::string operation);

      private:
        friend class ReplayGuard;
        Claim(ReplayGuard* guard, std::string signature, std::optional<std::string> operation)
            : guard_(guard), signature_(std::move(signature)), operation_(std::move(operation)) {}

        ReplayGuard* guard_;  ///< nothing where there is nothing left to be done
        std::string signature_;
        std::optional<std::string> operation_;
    };

    explicit ReplayGuard(Timestamp made_at, std::size_t most_signatures = kMostSignatures)
        : made_at_(std::chrono::floor<std::chrono::seconds>(made_at)), most_signatures_(most_signatures) {}

    /// What is signed says no fractions of a second, so `made_at` is taken as its whole one. The claim must not outlive
    /// the guard. Refused with EBUSY while another claim to the same signature is open, and
    /// while there is no room for one more; with ESTALE where it was signed before the guard was made, so that an agent
    /// before this one may have carried it out, or no later than what was forgotten.
    [[nodiscard]] Result<Claim> claim(const RequestSignature& signature, std::string_view token,
                                      std::chrono::nanoseconds up);

  private:
    struct Entry {
        std::string token;
        std::optional<std::string> operation;  ///< nothing as long as a claim to it is open
        Timestamp signed_at{};
        std::chrono::nanoseconds claimed_at{};  ///< by Clock::up()
    };

    void forget_expired(std::chrono::nanoseconds up);

    const Timestamp made_at_;
    const std::size_t most_signatures_;
    std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::chrono::nanoseconds tidied_at_{};
    Timestamp forgotten_until_ = Timestamp::min();  ///< what was forgotten was signed no later than this
};

}  // namespace headgate::http::access
