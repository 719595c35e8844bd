// AWS Network Firewall's API (version 2020-11-12) over a gateway, in AWS JSON 1.0: `POST /` with the operation in the
// header X-Amz-Target, so that the AWS CLI and the SDKs work by their --endpoint-url. Specification:
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
#pragma once

#include "gateway/managed_gateway.h"
#include "http/access/replay_guard.h"
#include "http/message.h"

namespace headgate::http {

/// Thread-safe. What it is given outlives it.
class AwsProtocol {
  public:
    AwsProtocol(gateway::ManagedGateway& gateway, access::ReplayGuard& replays)
        : gateway_(gateway), replays_(replays) {}

    /// Every request has an answer; its route is `aws:StartFlowFlush`, or `aws:unknown`. Whoever asks sees the gateway
    /// as far as the request's permissions go. Method and path are up to the caller, and so is who may come this far.
    [[nodiscard]] Answer answer(const Request& request) const;

  private:
    gateway::ManagedGateway& gateway_;
    access::ReplayGuard& replays_;
};

}  // namespace headgate::http
