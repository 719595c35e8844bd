// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway within permissions, without a request from which they come.
#pragma once

#include "http/access/authorized_gateway.h"

namespace headgate::testing {

[[nodiscard]] inline std::unique_ptr<gateway::ManagedGateway> authorized(gateway::ManagedGateway& whole,
                                                                         http::access::Permissions permissions,
                                                                         Caller caller = {}) {
    static http::access::ReplayGuard signatures{Timestamp{}};  // not used: the request has no signature
    http::Request request;
    request.permissions = std::move(permissions);
    request.caller = std::move(caller);
    return http::access::authorized(whole, request, signatures);
}

}  // namespace headgate::testing
