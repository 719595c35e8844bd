// SPDX-License-Identifier: GPL-2.0-or-later
// What is in quarantine on this machine's endpoints: listing, changes, and the checks before a change.
#pragma once

#include <functional>

#include "headgate/clock.h"
#include "headgate/result.h"

#include "gateway/endpoints.h"
#include "gateway/gateway.h"
#include "operations/audit_trail.h"

namespace headgate::gateway {

class LocalQuarantines final : public Quarantines {
  public:
    /// All arguments must outlive this object.
    LocalQuarantines(const Endpoints& endpoints, operations::AuditTrail& audit, const Clock& clock)
        : endpoints_(endpoints), audit_(audit), clock_(clock) {}

    Result<EndpointQuarantine> quarantined(const EndpointName& endpoint) override;

    /// Refused where it would cut off what quarantine_guard.h names, or where a prefix is wider than usual, unless the
    /// request says that this is meant.
    Result<EndpointQuarantine> add(const QuarantineRequest& request) override;
    Result<EndpointQuarantine> extend(const QuarantineRequest& request) override;
    Result<EndpointQuarantine> remove(const QuarantineRequest& request) override;

  private:
    using Change = std::function<Result<EndpointQuarantine>(const ManagedEndpoint&)>;
    [[nodiscard]] Result<EndpointQuarantine> change(operations::QuarantineStep step, const QuarantineRequest& request,
                                                    const Change& change);
    [[nodiscard]] Result<EndpointQuarantine> add_at(const ManagedEndpoint& endpoint, const QuarantineRequest& request);

    const Endpoints& endpoints_;
    operations::AuditTrail& audit_;
    const Clock& clock_;
};

/// The request for the audit trail.
[[nodiscard]] operations::QuarantineChange change_of(operations::QuarantineStep step, const QuarantineRequest& request,
                                                     const Endpoint& endpoint);

/// The flows from and to these addresses, translated or not, in any state: a flush of it ends them.
[[nodiscard]] FlowQuery flows_of(std::span<const Prefix> prefixes);

}  // namespace headgate::gateway
