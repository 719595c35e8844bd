// SPDX-License-Identifier: GPL-2.0-or-later
// The signature that a request carries, and the text that is signed.
#include "http/access/signature.h"

#include <gtest/gtest.h>

#include "support/signed_requests.h"

namespace headgate::http::access {
namespace signature_test {

using testing::reference_request;

const std::string kScope = "Credential=AKIDEXAMPLE/20261121/eu-west-1/network-firewall/aws4_request";
const std::string kHeaders = "SignedHeaders=content-type;host;x-amz-date;x-amz-target";
const std::string kHex = "53d497c03398182e396b414ba23ac8450966c50f0529e25aab4ca9789ca8e783";
const std::string kSignature = "Signature=" + kHex;

Request with(const std::string& parts) {
    auto request = reference_request();
    request.headers["Authorization"] = "AWS4-HMAC-SHA256 " + parts;
    return request;
}

std::string error_of(const Request& request) {
    const auto signature = read_signature(request);
    return signature ? "" : signature.error().message;
}

std::string canonical_query_of(const std::string& query) {
    auto request = reference_request();
    request.query_text = query;
    const auto canonical = canonical_request(request, read_signature(request).value());
    if (!canonical) return "error";
    auto rest = std::string_view{*canonical};
    return std::string{rest.substr(7, rest.find('\n', 7) - 7)};  // after "POST" and the path "/"
}

TEST(Signature, is_that_of_the_reference) {
    const auto request = reference_request();
    const auto signature = read_signature(request);
    ASSERT_TRUE(signature) << signature.error().message;
    const auto canonical = canonical_request(request, *signature).value();
    EXPECT_EQ(to_hex(sha256(request.body)), "b04a590e1c3bbd715ccd480b35484cdcd2d5978f3ac0f63319c12ee9bddc9cb1");
    EXPECT_EQ(to_hex(sha256(canonical)), "2a8eb5b9123e0b81a30225022c8ddd69a36b78f40a76c96a37a6cd190cb6f51f");
    const auto key = derive_signing_key("secret", signature->date, signature->region);
    EXPECT_EQ(to_hex(hmac_sha256(key, string_to_sign(*signature, canonical))), kHex);
}

TEST(Signature, parts_come_in_any_order_with_any_spaces) {
    EXPECT_EQ(error_of(with(kSignature + "," + kHeaders + " ,  " + kScope)), "");
    EXPECT_EQ(error_of(with(kScope + "," + kHeaders + "," + kSignature)), "");
}

TEST(Signature, each_part_comes_once) {
    EXPECT_EQ(error_of(with(kScope + ", " + kHeaders)), "Authorization: Signature is missing");
    EXPECT_EQ(error_of(with(kHeaders + ", " + kSignature)), "Authorization: Credential is missing");
    EXPECT_EQ(error_of(with(kScope + ", " + kSignature)), "Authorization: SignedHeaders is missing");
    EXPECT_EQ(error_of(with(kScope + ", " + kHeaders + ", " + kSignature + ", " + kSignature)),
              "Authorization: Signature comes twice");
    for (const auto* more : {", X=y", ", Bearer abc", ", AWS4-HMAC-SHA256 Credential=a", ", ,"}) {
        EXPECT_EQ(error_of(with(kScope + ", " + kHeaders + ", " + kSignature + more)),
                  "Authorization: has a part that is none of Credential, SignedHeaders, Signature")
            << more;
    }
}

TEST(Signature, a_credential_has_five_parts_and_ours_as_its_service) {
    const auto error = [](const std::string& scope) {
        return error_of(with("Credential=" + scope + ", " + kHeaders + ", " + kSignature));
    };
    for (const auto* scope : {"A", "A/20261121/r/network-firewall", "A/20261121/r/network-firewall/aws4_request/x"})
        EXPECT_EQ(error(scope), "Authorization: Credential must be KEY/DATE/REGION/SERVICE/aws4_request") << scope;
    EXPECT_EQ(error("A/20261121/r/network-firewall/aws5_request"),
              "Authorization: Credential must end with aws4_request");
    EXPECT_EQ(error("/20261121/r/network-firewall/aws4_request"),
              "Authorization: Credential: a key has 1 to 128 characters");
    EXPECT_EQ(error("A/20261121/R/network-firewall/aws4_request"),
              "Authorization: Credential: a region has small letters, digits and - alone");
    EXPECT_EQ(error("A/20261121/r/s3/aws4_request"), "Credential must be scoped to the service network-firewall");
    EXPECT_EQ(error("A/20261120/r/network-firewall/aws4_request"),
              "Credential must be scoped to the day of x-amz-date");
}

TEST(Signature, signed_headers_are_sorted_names_in_small_letters) {
    const auto error = [](const std::string& names) {
        return error_of(with(kScope + ", SignedHeaders=" + names + ", " + kSignature));
    };
    for (const auto* names : {"Host", "host;;x-amz-date", ";host", "ho st"}) {
        EXPECT_EQ(error(names), "Authorization: SignedHeaders must be names in small letters, with a ; between two")
            << names;
    }
    for (const auto* names : {"x-amz-date;host", "host;host"})
        EXPECT_EQ(error(names), "Authorization: SignedHeaders must be sorted, and none twice") << names;
    std::string many;
    for (int i = 100; i <= 200; ++i)
        many += fmt::format("{}a{}", i == 100 ? "" : ";", i);
    EXPECT_EQ(error(many), "Authorization: SignedHeaders has more than 100 names");
}

TEST(Signature, is_64_digits_in_small_letters) {
    for (const auto& hex : {kHex + "0", kHex.substr(1), "g" + kHex.substr(1), "A" + kHex.substr(1)}) {
        EXPECT_EQ(error_of(with(kScope + ", " + kHeaders + ", Signature=" + hex)),
                  "Authorization: Signature must be 64 hexadecimal digits in small letters");
    }
}

TEST(Signature, has_a_time_that_there_is) {
    const auto error = [](const std::string& time) {
        auto request = reference_request();
        request.headers["X-Amz-Date"] = time;
        return error_of(request);
    };
    EXPECT_EQ(error(""), "x-amz-date: missing");
    for (const auto* time : {"20261121T080442", "20261121 080442Z", "2026-11-21T08:04Z", "20260229T080442Z",
                             "20261321T080442Z", "20261121T240000Z", "20261121T086042Z", "20261121T080460Z",
                             "2026112+T080442Z", "20261121T080442Z, x", "20261121T080442Z, 20261121T080442Z"}) {
        EXPECT_EQ(error(time), "x-amz-date: must be a time such as 20261121T080442Z") << time;
    }
}

TEST(Signature, a_query_is_sorted_by_name_then_value_and_encoded_anew) {
    EXPECT_EQ(canonical_query_of(""), "");
    EXPECT_EQ(canonical_query_of("b=2&a=2&a=1"), "a=1&a=2&b=2");
    EXPECT_EQ(canonical_query_of("a&b="), "a=&b=");
    EXPECT_EQ(canonical_query_of("a-b=1&a=2"), "a=2&a-b=1");
    EXPECT_EQ(canonical_query_of("&a=b=c&&%7e=%7E"), "a=b%3Dc&~=~");
    EXPECT_EQ(canonical_query_of("k=%e9+%2B/*"), "k=%E9%20%2B%2F%2A");
    EXPECT_EQ(canonical_query_of("a=%2"), "error");
}

TEST(Signature, values_of_headers_are_trimmed_and_their_spaces_collapsed) {
    auto request = reference_request();
    request.headers["Content-Type"] = " \t a   b\t\tc ";
    const auto canonical = canonical_request(request, read_signature(request).value()).value();
    EXPECT_NE(canonical.find("\ncontent-type:a b c\nhost:"), std::string::npos) << canonical;
}

TEST(Signature, a_path_is_encoded_once_more) {
    auto request = reference_request();
    request.path = "/a%2Fb/c d:e";
    const auto canonical = canonical_request(request, read_signature(request).value()).value();
    EXPECT_TRUE(canonical.starts_with("POST\n/a%252Fb/c%20d%3Ae\n")) << canonical;
}

}  // namespace signature_test
}  // namespace headgate::http::access
