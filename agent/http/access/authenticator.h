// Finds out who asks, by what a request shows: a signature, a bearer token, or a client certificate.
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
    Caller caller;  ///< face `sigv4`, `token` or `certificate`; the user is the key's id, the token's or its name
    Permissions permissions;
    std::optional<RequestSignature> signature;  ///< of a signed request
};

/// Credentials do not change: reloading them makes another one. Thread-safe.
class Authenticator {
  public:
    explicit Authenticator(Credentials credentials) : credentials_(std::move(credentials)) {}

    /// What is shown first of signature, token and certificate decides: a wrong token is refused, whatever certificate
    /// comes with it. `certificate_name` is the common name of the one that TLS has checked; empty where none was
    /// shown.
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
