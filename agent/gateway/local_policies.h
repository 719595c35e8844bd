// SPDX-License-Identifier: GPL-2.0-or-later
// The stream exception policies of this machine's endpoints: status, changes, and the checks before a change.
#pragma once

#include <functional>
#include <string_view>

#include "headgate/clock.h"
#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "gateway/endpoints.h"
#include "gateway/gateway.h"
#include "operations/audit_trail.h"

namespace headgate::gateway {

class LocalPolicies final : public StreamExceptionPolicies {
  public:
    /// All arguments must outlive this object.
    LocalPolicies(const Endpoints& endpoints, operations::AuditTrail& audit, const Clock& clock)
        : endpoints_(endpoints), audit_(audit), clock_(clock) {}

    Result<EndpointPolicy> status(const EndpointName& endpoint) override;

    /// Refused where it would cut one of the caller's own sessions, unless `include_protected` is set.
    Result<EndpointPolicy> apply(const PolicyRequest& request) override;
    Result<EndpointPolicy> remove(const PolicyRequest& request) override;

  private:
    using Change = std::function<Result<EndpointPolicy>(const ManagedEndpoint&)>;
    [[nodiscard]] Result<EndpointPolicy> change(operations::PolicyAction action, const PolicyRequest& request,
                                                const Change& change);

    const Endpoints& endpoints_;
    operations::AuditTrail& audit_;
    const Clock& clock_;
};

/// A policy by name or file path. Refused where the configuration keeps another one in force on this endpoint, which
/// would be restored at once.
[[nodiscard]] Result<StreamExceptionPolicy> wanted_policy(const ManagedEndpoint& endpoint, std::string_view name);

}  // namespace headgate::gateway
