// What every request passes on its way in and out: who asks, whether they may ask just now, who answers, and what is
// said about it afterwards.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "gateway/managed_gateway.h"
#include "http/access/authenticator.h"
#include "http/access/rate_limiter.h"
#include "http/access/replay_guard.h"
#include "http/access/requests_in_hand.h"
#include "http/aws/aws_protocol.h"
#include "http/metrics/metrics.h"
#include "http/router.h"
#include "http/server/connection.h"

namespace headgate::http {

/// Thread-safe.
class FrontDoor final : public Answering {
  public:
    /// Takes a line about a request that has had its answer; called by many threads at once.
    using AccessLog = std::function<void(std::string_view line)>;

    /// Until admit() is called, nobody has credentials. What it is given outlives it.
    FrontDoor(gateway::ManagedGateway& gateway, Metrics& metrics, AccessLog log);

    /// From now on these credentials count, and each may ask so many times a second, and have so many requests in hand.
    void admit(access::Credentials credentials, double requests_per_second, std::size_t most_in_hand);

    Answer answer(Request& request) override;
    Answer objection(const Request& request, int status, std::string_view detail) override;
    void finished(const RequestRecord& record) override;
    void turned_away() override;

  private:
    struct Admitted {
        Admitted(access::Credentials credentials, double requests_per_second, std::size_t most_in_hand);

        access::Authenticator authenticator;
        access::RateLimiter limiter;
        std::shared_ptr<access::RequestsInHand> in_hand;
    };

    [[nodiscard]] Answer dispatch(Request& request);
    [[nodiscard]] bool is_for_anybody(const Request& request) const;
    [[nodiscard]] std::optional<Answer> turn_away(Request& request) const;
    [[nodiscard]] std::optional<Answer> turn_away_stranger(Request& request) const;
    [[nodiscard]] std::shared_ptr<Admitted> admitted() const;

    Metrics& metrics_;
    const AccessLog log_;
    access::ReplayGuard replays_{kSystemClock.now()};
    const AwsProtocol aws_;
    const Router router_;
    mutable std::mutex mutex_;
    std::shared_ptr<Admitted> admitted_;  ///< under the mutex
};

}  // namespace headgate::http
