// SPDX-License-Identifier: GPL-2.0-or-later
// AWS Signature Version 4 on the server's side (AWS IAM User Guide, "Create a signed AWS API request"): parses a
// request's signature and derives what must have been signed. The Authenticator compares. Clients differ in spaces, in
// the order of the three parts and in which headers they sign; botocore, the JavaScript SDK and curl 7.88 all pass.
// curl signs a query as given, so its parameters must be sorted and encoded already.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "http/access/identity.h"
#include "http/message.h"

namespace headgate::http::access {

inline constexpr std::string_view kSignatureScheme = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kService = "network-firewall";

/// Views into the request it was parsed from, which must outlive it.
struct Signature {
    std::string_view key_id;
    std::string_view date;                         ///< `20261121`: the date of signed_at
    std::string_view region;                       ///< as chosen by the client: any is accepted
    std::string_view signed_header_names;          ///< as sent: `host;x-amz-date`
    std::vector<std::string_view> signed_headers;  ///< lower case, sorted, unique
    std::string_view hex;                          ///< lower case
    Digest digest{};                               ///< decoded from `hex`
    std::string_view time;                         ///< `20261121T080442Z`
    std::chrono::sys_seconds signed_at{};
};

/// Parses the signature of a request whose Authorization begins with the scheme, and refuses all that is wrong for any
/// key: IncompleteSignature: malformed; UnknownClient: a session token; WrongSignature: another service or date, a
/// header that must be signed but is not, or a body that does not match its header.
[[nodiscard]] Checked<Signature> read_signature(const Request& request);

/// Step 1. An error where the query is malformed.
[[nodiscard]] Checked<std::string> canonical_request(const Request& request, const Signature& signature);

/// Step 3. `canonical` is the result of step 1.
[[nodiscard]] std::string string_to_sign(const Signature& signature, std::string_view canonical);

/// Step 4. The key depends on secret, date and region only.
[[nodiscard]] Digest derive_signing_key(std::string_view secret, std::string_view date, std::string_view region);

}  // namespace headgate::http::access
