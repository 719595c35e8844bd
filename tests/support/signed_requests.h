// SPDX-License-Identifier: GPL-2.0-or-later
// Signed requests: recorded ones of real clients, and ones signed by a test.
#pragma once

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/access/signature.h"
#include "http/message.h"
#include "http/router.h"

namespace headgate::testing {

/// All requests are signed with key AKIDEXAMPLE and secret `secret`.
inline http::Request request_of(std::string method, std::string_view target, std::string body,
                                std::map<std::string, std::string, http::IgnoringCase> headers) {
    http::Request request;
    request.method = std::move(method);
    if (!http::parse_target(target, request)) throw std::invalid_argument("not a target");
    request.body = std::move(body);
    request.headers = std::move(headers);
    return request;
}

inline std::string authorization(std::string_view scope, std::string_view signed_headers, std::string_view signature) {
    return fmt::format(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{}/network-firewall/aws4_request, SignedHeaders={}, "
        "Signature={}",
        scope, signed_headers, signature);
}

/// Signed on 2026-11-21 at 08:04:42.
inline http::Request reference_request() {
    return request_of(
        "POST", "/",
        R"({"FirewallArn": "arn:aws:network-firewall:us-east-1:123456789012:firewall/gw1", )"
        R"("FlowFilters": [{"SourceAddress": {"AddressDefinition": "10.0.1.0/24"}}]})",
        {{"Content-Type", "application/x-amz-json-1.0"},
         {"Host", "127.0.0.1:18080"},
         {"X-Amz-Date", "20261121T080442Z"},
         {"X-Amz-Target", "NetworkFirewall_20201112.StartFlowFlush"},
         {"Authorization", authorization("20261121/eu-west-1", "content-type;host;x-amz-date;x-amz-target",
                                         "53d497c03398182e396b414ba23ac8450966c50f0529e25aab4ca9789ca8e783")}});
}

/// Replaces the request's signature, read from it, with the one by this key.
inline void put_signature(http::Request& request, const http::access::Signature& signature, std::string_view canonical,
                          const Digest& key) {
    namespace access = http::access;
    const auto right = to_hex(hmac_sha256(key, access::string_to_sign(signature, canonical)));
    auto& header = request.headers.at("Authorization");
    header.replace(static_cast<std::size_t>(signature.hex.data() - header.data()), right.size(), right);
}

/// Replaces the request's signature with a correct one, if it has a well-formed one.
inline void sign_again(http::Request& request, std::string_view secret) {
    namespace access = http::access;
    const auto signature = access::read_signature(request);
    if (!signature) return;
    const auto canonical = access::canonical_request(request, *signature);
    if (!canonical) return;
    put_signature(request, *signature, *canonical,
                  access::derive_signing_key(secret, signature->date, signature->region));
}

}  // namespace headgate::testing
