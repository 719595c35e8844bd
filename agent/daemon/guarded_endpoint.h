// SPDX-License-Identifier: GPL-2.0-or-later
// Maintains one endpoint in the background: the kernel records what flow operations need, and the configured policy and
// what is in quarantine stay in force.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headgate/quarantine.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "daemon/event_loop.h"
#include "daemon/log.h"
#include "daemon/policy_reconciler.h"
#include "gateway/endpoints.h"
#include "http/metrics/metrics.h"
#include "midstream/ruleset_watch.h"
#include "netlink/network_namespace.h"
#include "operations/audit_trail.h"

namespace headgate::daemon {

/// Not thread-safe: use it on the thread of its loop, which is the upkeep's.
class GuardedEndpoint {
  public:
    /// Loop, metrics and audit trail must outlive this object.
    GuardedEndpoint(EventLoop& loop, http::Metrics& metrics, operations::AuditTrail& audit,
                    gateway::Endpoints::Pointer endpoint)
        : loop_(loop), metrics_(metrics), audit_(audit), endpoint_(std::move(endpoint)) {}
    ~GuardedEndpoint() { stop(); }
    GuardedEndpoint(const GuardedEndpoint&) = delete;
    GuardedEndpoint& operator=(const GuardedEndpoint&) = delete;

    /// Starts or restarts. Logs what was found; logs an error only once.
    void start();

    /// Whether recording, policy and quarantine are in place.
    [[nodiscard]] bool is_started() const noexcept { return is_started_; }

    /// False if the endpoint's network namespace is gone or was replaced by another one.
    [[nodiscard]] bool is_current() const;

  private:
    [[nodiscard]] Result<void> see_to_everything();
    [[nodiscard]] Result<void> see_to_recording(const netlink::NetworkNamespace& where);
    [[nodiscard]] Result<void> keep_rules(const netlink::NetworkNamespace& where);
    [[nodiscard]] Result<void> choose_policy();
    void stop();
    void look();
    void keep_now();
    [[nodiscard]] Result<void> keep_quarantine();
    [[nodiscard]] Result<void> keep_policy();
    void note_change(const Kept& kept);
    void note_restoration(const std::vector<QuarantineEntry>& entries);
    void note_busy();

    EventLoop& loop_;
    http::Metrics& metrics_;
    operations::AuditTrail& audit_;
    const gateway::Endpoints::Pointer endpoint_;
    std::unique_ptr<Quarantine> quarantine_;
    std::unique_ptr<Ruleset> ruleset_;             ///< null: its policy is left alone
    std::optional<StreamExceptionPolicy> policy_;  ///< to keep in force; absent: none is to be
    std::uint64_t cookie_ = 0;                     ///< of the network namespace
    std::optional<midstream::RulesetWatch> watch_;
    std::optional<EventLoop::Id> watching_;
    std::optional<EventLoop::Id> pause_;  ///< set while checks of the rules are paused
    bool look_again_ = false;             ///< check again after the pause
    struct Busy {
        EventLoop::Clock::time_point begin;
        bool is_logged = false;
    };
    std::optional<Busy> busy_since_;  ///< set while another process holds a lock of the rules
    bool is_started_ = false;
    LastingError fault_;
};

}  // namespace headgate::daemon
