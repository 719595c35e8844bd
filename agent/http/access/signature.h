// AWS Signature Version 4, as a server sees it (AWS IAM User Guide, "Create a signed AWS API request"): what a request
// says of its signature, and what must have been signed. Whether it was, the Authenticator finds out.
//
// What clients send differs in spaces, in the order of the three parts and in which headers are signed; botocore, the
// JavaScript SDK and curl 7.88 all pass. Of a query, curl signs what it was given: its parameters have to be sorted and
// encoded then.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "http/access/digest.h"
#include "http/access/refusal.h"
#include "http/message.h"

namespace headgate::http::access {

inline constexpr std::string_view kSignatureScheme = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kService = "network-firewall";

/// What is in it belongs to the request that it was read from, which must outlive it.
struct Signature {
    std::string_view key_id;
    std::string_view date;                         ///< `20261121`: the day of signed_at
    std::string_view region;                       ///< the client's own: any will do
    std::string_view signed_header_names;          ///< as they were sent: `host;x-amz-date`
    std::vector<std::string_view> signed_headers;  ///< in lower case, sorted, none twice
    std::string_view hex;                          ///< in lower case
    Digest digest{};                               ///< what it says
    std::string_view time;                         ///< `20261121T080442Z`
    std::chrono::sys_seconds signed_at{};
};

/// The signature of a request whose Authorization begins with the scheme. All that can be wrong without a key is
/// refused here: IncompleteSignature where the form is, UnknownClient for a session token, WrongSignature for another
/// service, another day, a header that had to be signed, or another body than its header says.
[[nodiscard]] Checked<Signature> read_signature(const Request& request);

/// Step 1. An error where the query is no query.
[[nodiscard]] Checked<std::string> canonical_request(const Request& request, const Signature& signature);

/// Step 3, of a canonical request.
[[nodiscard]] std::string string_to_sign(const Signature& signature, std::string_view canonical);

/// Step 4, by the secret of a key. It is the same for a day and a region.
[[nodiscard]] Digest derive_signing_key(std::string_view secret, std::string_view date, std::string_view region);

}  // namespace headgate::http::access
