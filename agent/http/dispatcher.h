// SPDX-License-Identifier: GPL-2.0-or-later
// The path of every request: authentication, rate limits, dispatch to a handler, then the access log and metrics.
//
// The parts of this room: server/ turns bytes into requests (message.h), access/ authenticates and limits clients, aws/
// or rest/ answers, console/ has the web console, metrics/ counts. client/ is the command line's side.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "gateway/managed_gateway.h"
#include "http/access/authenticator.h"
#include "http/access/client_limits.h"
#include "http/access/replay_guard.h"
#include "http/metrics/metrics.h"
#include "http/router.h"
#include "http/server/connection.h"

namespace headgate::http {

/// Thread-safe.
class Dispatcher final : public RequestHandler {
  public:
    /// Receives the access log's line of an answered request; called by many threads at once.
    using AccessLog = std::function<void(std::string_view line)>;

    /// Until admit() is called, there are no credentials. `gateway` and `metrics` must outlive this object.
    Dispatcher(gateway::ManagedGateway& gateway, Metrics& metrics, AccessLog log);

    /// Replaces the credentials and the limits for each client: requests per second, and requests answered at once.
    void admit(access::Credentials credentials, double requests_per_second, std::size_t most_in_hand);

    Response answer(Request& request) override;
    Response error_response(const Request& request, int status, std::string_view detail) override;
    void finished(const RequestRecord& record) override;
    void turned_away() override;

  private:
    struct Admitted {
        Admitted(access::Credentials credentials, double requests_per_second, std::size_t most_in_hand);

        access::Authenticator authenticator;
        access::RateLimiter limiter;
        std::shared_ptr<access::RequestsInHand> in_hand;
    };

    [[nodiscard]] Response dispatch(Request& request);
    [[nodiscard]] bool is_for_anybody(const Request& request) const;
    [[nodiscard]] std::optional<Response> turn_away(Request& request) const;
    [[nodiscard]] std::optional<Response> turn_away_stranger(Request& request) const;
    [[nodiscard]] std::shared_ptr<Admitted> admitted() const;

    gateway::ManagedGateway& gateway_;
    Metrics& metrics_;
    const AccessLog log_;
    access::ReplayGuard replays_{kSystemClock.now()};
    const Router router_;
    mutable std::mutex mutex_;
    std::shared_ptr<Admitted> admitted_;  ///< guarded by mutex_
};

}  // namespace headgate::http
