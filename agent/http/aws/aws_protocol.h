// SPDX-License-Identifier: GPL-2.0-or-later
// AWS Network Firewall's API (version 2020-11-12), in AWS JSON 1.0: `POST /` with the operation in the header
// X-Amz-Target, for the AWS CLI and SDKs with --endpoint-url. Specification:
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
//
// aws_protocol.cpp has the table of operations. shapes.h validates requests, scope.h finds what they
// refer to, and one file per subject answers them.
#pragma once

#include "gateway/managed_gateway.h"
#include "http/access/replay_guard.h"
#include "http/message.h"

namespace headgate::http {

/// Thread-safe. `gateway` and `replays` must outlive this object.
class AwsProtocol {
  public:
    AwsProtocol(gateway::ManagedGateway& gateway, access::ReplayGuard& replays)
        : gateway_(gateway), replays_(replays) {}

    /// Always returns a response, with the route `aws:StartFlowFlush` for example, or `aws:unknown`. The request's
    /// permissions apply. The caller has checked method and path, and authenticated the client.
    [[nodiscard]] Response answer(const Request& request) const;

  private:
    gateway::ManagedGateway& gateway_;
    access::ReplayGuard& replays_;
};

}  // namespace headgate::http
