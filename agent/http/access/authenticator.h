// SPDX-License-Identifier: GPL-2.0-or-later
// Authenticates a request by its signature, its bearer token or its client certificate.
#pragma once

#include <optional>
#include <string_view>

#include "headgate/flow.h"
#include "headgate/flow_operation.h"

#include "http/access/credentials.h"
#include "http/access/permissions.h"
#include "http/access/refusal.h"
#include "http/access/request_signature.h"
#include "http/access/signing_keys.h"
#include "http/message.h"

namespace headgate::http::access {

struct Identity {
    Caller caller;  ///< face `sigv4`, `token` or `certificate`; user: the key's id, or the name
    Permissions permissions;
    std::optional<RequestSignature> signature;  ///< set for a signed request
};

/// Immutable; a reload of the credentials makes a new one. Thread-safe.
class Authenticator {
  public:
    explicit Authenticator(Credentials credentials) : credentials_(std::move(credentials)) {}

    /// The first of signature, token and certificate that is present decides: a wrong token is refused even with a
    /// valid certificate. `certificate_name` is the common name of the certificate that TLS has verified; empty without
    /// one.
    [[nodiscard]] Checked<Identity> identify(const Request& request, std::string_view certificate_name,
                                             Timestamp now) const;

  private:
    [[nodiscard]] Checked<Identity> identify_signature(const Request& request, Timestamp now) const;
    [[nodiscard]] Checked<Identity> identify_token(std::string_view token) const;
    [[nodiscard]] Checked<Identity> identify_certificate(std::string_view name) const;

    const Credentials credentials_;
    mutable SigningKeys signing_keys_;
};

}  // namespace headgate::http::access
