// SPDX-License-Identifier: GPL-2.0-or-later
// Authenticates a request by its signature, its bearer token or its client certificate.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "headgate/flow.h"

#include "http/access/credentials.h"
#include "http/access/identity.h"
#include "http/message.h"

namespace headgate::http::access {

/// Cache of derived signing keys: a derivation takes four hashes, and is valid for a day. Thread-safe.
class SigningKeys {
  public:
    /// Region and date come from unauthenticated clients: a full cache is cleared.
    static constexpr std::size_t kMost = 1024;

    [[nodiscard]] Digest find(const AccessKey& key, std::string_view date, std::string_view region);

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, Digest> derived_;  ///< by compound_key of id, date and region
};

/// Immutable; a reload of the credentials makes a new one. Thread-safe.
class Authenticator {
  public:
    explicit Authenticator(Credentials credentials) : credentials_(std::move(credentials)) {}

    /// The first of signature, token and certificate that is present decides: a wrong token is refused even with a
    /// valid certificate.
    [[nodiscard]] Checked<Identity> identify(const Request& request, Timestamp now) const;

  private:
    [[nodiscard]] Checked<Identity> identify_signature(const Request& request, Timestamp now) const;
    [[nodiscard]] Checked<Identity> identify_token(std::string_view token) const;
    [[nodiscard]] Checked<Identity> identify_certificate(std::string_view name) const;

    const Credentials credentials_;
    mutable SigningKeys signing_keys_;
};

}  // namespace headgate::http::access
