// SPDX-License-Identifier: GPL-2.0-or-later
// Which requests are authenticated, which are refused, and why. Clients' signatures are recorded from those clients.
#include "http/access/authenticator.h"

#include <gtest/gtest.h>

#include "support/signed_requests.h"

namespace headgate::http::access {
namespace authenticator_test {

using namespace std::chrono_literals;
using testing::authorization;
using testing::reference_request;
using testing::request_of;
using testing::sign_again;

constexpr Timestamp kSigned = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 8h + 4min + 42s;

Credentials credentials() {
    Credentials known;
    known.access_keys = {{"OTHER", "other", {}}, {"AKIDEXAMPLE", "secret", {Role::Operator, {{"edge"}}}}};
    known.tokens = {{"dashboard", sha256("a-token"), {Role::Viewer, std::nullopt}},
                    {"second", sha256("another.token=="), {}}};
    known.certificates = {{"ops.example.com", {Role::Operator, std::nullopt}}};
    return known;
}

Checked<Identity> identify(Request request, std::string_view certificate = "", Timestamp now = kSigned) {
    request.certificate_name = certificate;
    return Authenticator{credentials()}.identify(request, now);
}

/// Why the request is refused; none when it is authenticated.
std::optional<Refusal> refusal_of(const Request& request, Timestamp now = kSigned) {
    const auto identity = identify(request, "", now);
    return identity ? std::nullopt : std::optional{identity.error().refusal};
}

Request changed(const std::string& header, const std::string& value) {
    auto request = reference_request();
    request.headers[header] = value;
    return request;
}

Request with_authorization(const std::string& value) {
    return request_of("GET", "/v1/operations", "", {{"Host", "a"}, {"Authorization", value}});
}

TEST(Authenticator, a_signature_identifies_the_client_its_permissions_and_the_time_of_signing) {
    const auto identity = identify(reference_request());
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->caller.face, "sigv4");
    EXPECT_EQ(identity->caller.user, "AKIDEXAMPLE");
    EXPECT_EQ(identity->permissions, (Permissions{Role::Operator, {{"edge"}}}));
    EXPECT_EQ(identity->signature,
              (RequestSignature{"53d497c03398182e396b414ba23ac8450966c50f0529e25aab4ca9789ca8e783", kSigned}));
}

TEST(Authenticator, what_curl_signs_is_right) {
    const auto target = request_of(
        "POST", "/", R"({"FirewallArn":"arn:aws:network-firewall:us-east-1:123456789012:firewall/gw1"})",
        {{"Host", "127.0.0.1:18099"},
         {"Accept", "*/*"},
         {"X-Amz-Date", "20261121T194353Z"},
         {"Content-Type", "application/x-amz-json-1.0"},
         {"X-Amz-Target", "NetworkFirewall_20201112.ListFlowOperations"},
         {"Authorization", authorization("20261121/eu-central-1", "content-type;host;x-amz-date;x-amz-target",
                                         "5abc44740f45ef2e4611093797178fd70eb06b9729c7747302fa6219f3781443")}});
    EXPECT_EQ(refusal_of(target, kSigned + 11h + 40min), std::nullopt);
    const auto query = request_of(
        "GET", "/v1/operations?limit=10&type=FLOW_CAPTURE", "",
        {{"Host", "127.0.0.1:18099"},
         {"X-Amz-Date", "20261121T194353Z"},
         {"Authorization", authorization("20261121/eu-central-1", "host;x-amz-date",
                                         "46dc6157c94afc76e9968232813790da49f55c16055427f309f5136078422e22")}});
    EXPECT_EQ(refusal_of(query, kSigned + 11h + 40min), std::nullopt);
    const auto without_accept = request_of(
        "DELETE", "/v1/stream-exception-policy", "",
        {{"Host", "127.0.0.1:18099"},
         {"X-Amz-Date", "20261121T194354Z"},
         {"X-Amz-Meta", "  two   words "},
         {"Authorization", authorization("20261121/eu-central-1", "accept;host;x-amz-date;x-amz-meta",
                                         "2d0c0a38b5379f0cc687f0acc53201d0864d18bb253a6b00ff1ba9f5cf6c0034")}});
    EXPECT_EQ(refusal_of(without_accept, kSigned + 11h + 40min), std::nullopt);
}

TEST(Authenticator, what_botocore_signs_is_right) {
    const auto query = request_of(
        "GET", "/v1/operations?type=FLOW_CAPTURE&limit=10&a=%C3%A9%20b", "",
        {{"Host", "gateway:8443"},
         {"Accept", "application/json"},
         {"X-Amz-Date", "20261121T080442Z"},
         {"Authorization", authorization("20261121/eu-west-1", "accept;host;x-amz-date",
                                         "baab6259775d9512c6c9e0890d090ab0cc58ae6dd4795e33371e6c3d7d728bdf")}});
    EXPECT_EQ(refusal_of(query), std::nullopt);
    const auto path = request_of(
        "GET", "/v1/fire%20walls/a%2Fb", "",
        {{"Host", "gateway:8443"},
         {"X-Amz-Meta", "  two   words "},
         {"X-Amz-Date", "20261121T080442Z"},
         {"Authorization", authorization("20261121/eu-west-1", "host;x-amz-date;x-amz-meta",
                                         "dc08e465377ee28ba75945c631ee3b6f4c89b5ea01f6f5d6757c1c25615d36c4")}});
    EXPECT_EQ(refusal_of(path), std::nullopt);
    const auto body = request_of(
        "PUT", "/v1/stream-exception-policy?firewall=edge&firewall-x=", R"({"policy":"drop"})",
        {{"Host", "gateway:8443"},
         {"Content-Type", "application/json"},
         {"X-Amz-Date", "20261121T080442Z"},
         {"Authorization", authorization("20261121/eu-west-1", "content-type;host;x-amz-date",
                                         "b539098b0c8f963154484f9ddd63b2d9d6c5eb33fa987856a787bc8eaee03a48")}});
    EXPECT_EQ(refusal_of(body), std::nullopt);
}

TEST(Authenticator, any_change_of_what_is_signed_is_found) {
    EXPECT_EQ(refusal_of(changed("Host", "127.0.0.1:18081")), Refusal::WrongSignature);
    EXPECT_EQ(refusal_of(changed("Content-Type", "application/json")), Refusal::WrongSignature);
    EXPECT_EQ(refusal_of(changed("X-Amz-Date", "20261121T080443Z")), Refusal::WrongSignature);
    EXPECT_EQ(refusal_of(changed("X-Amz-Target", "NetworkFirewall_20201112.StartFlowCapture")),
              Refusal::WrongSignature);
    for (const auto change : {+[](Request& r) { r.method = "PUT"; }, +[](Request& r) { r.path = "/v1"; },
                              +[](Request& r) { r.query_text = "a=b"; }, +[](Request& r) { r.body += " "; },
                              +[](Request& r) { r.headers.erase("Content-Type"); }}) {
        auto request = reference_request();
        change(request);
        EXPECT_EQ(refusal_of(request), Refusal::WrongSignature);
    }
}

TEST(Authenticator, what_no_client_has_to_sign_may_change) {
    EXPECT_EQ(refusal_of(changed("User-Agent", "x")), std::nullopt);
    EXPECT_EQ(refusal_of(changed("amz-sdk-request", "attempt=2")), std::nullopt);
}

TEST(Authenticator, every_header_of_aws_that_comes_has_to_be_signed) {
    EXPECT_EQ(refusal_of(changed("X-Amz-Meta", "x")), Refusal::WrongSignature);
    for (const auto* names :
         {"content-type;host;x-amz-date", "content-type;host;x-amz-target", "content-type;x-amz-date;x-amz-target"}) {
        auto request = reference_request();
        request.headers["Authorization"] = authorization("20261121/eu-west-1", names, std::string(64, '0'));
        sign_again(request, "secret");
        EXPECT_EQ(refusal_of(request), Refusal::WrongSignature) << names;
    }
}

TEST(Authenticator, a_hash_of_the_body_that_is_sent_has_to_be_right) {
    const std::string hash = "b04a590e1c3bbd715ccd480b35484cdcd2d5978f3ac0f63319c12ee9bddc9cb1";
    EXPECT_EQ(refusal_of(changed("x-amz-content-sha256", hash)), std::nullopt);
    EXPECT_EQ(refusal_of(changed("x-amz-content-sha256", "UNSIGNED-PAYLOAD")), Refusal::WrongSignature);
    EXPECT_EQ(refusal_of(changed("x-amz-content-sha256", std::string(64, '0'))), Refusal::WrongSignature);
}

TEST(Authenticator, a_signature_is_good_for_15_minutes_both_ways) {
    EXPECT_EQ(refusal_of(reference_request(), kSigned + 15min), std::nullopt);
    EXPECT_EQ(refusal_of(reference_request(), kSigned + 15min + 1s), Refusal::Expired);
    EXPECT_EQ(refusal_of(reference_request(), kSigned - 15min), std::nullopt);
    EXPECT_EQ(refusal_of(reference_request(), kSigned - 15min - 1s), Refusal::Expired);
}

TEST(Authenticator, dates_beyond_the_range_of_a_clock_are_expired) {
    for (const auto* year : {"0000", "9999"}) {
        auto request = changed("X-Amz-Date", fmt::format("{}0101T000000Z", year));
        request.headers["Authorization"] = authorization(
            fmt::format("{}0101/eu-west-1", year), "content-type;host;x-amz-date;x-amz-target", std::string(64, '0'));
        EXPECT_EQ(refusal_of(request), Refusal::Expired) << year;
    }
}

TEST(Authenticator, a_wrong_secret_an_unknown_key_and_a_session_are_distinguished) {
    auto wrong = reference_request();
    sign_again(wrong, "Secret");
    EXPECT_EQ(refusal_of(wrong), Refusal::WrongSignature);
    auto unknown = reference_request();
    auto& header = unknown.headers["Authorization"];
    header.replace(header.find("AKIDEXAMPLE"), 11, "AKIDUNKNOWN");
    EXPECT_EQ(refusal_of(unknown), Refusal::UnknownClient);
    sign_again(unknown, "nobody");
    EXPECT_EQ(refusal_of(unknown), Refusal::UnknownClient);
    EXPECT_EQ(refusal_of(changed("X-Amz-Security-Token", "x")), Refusal::UnknownClient);
}

TEST(Authenticator, keys_of_other_days_and_regions_are_derived_anew) {
    const Authenticator authenticator{credentials()};
    for (const auto* region : {"eu-west-1", "us-east-1", "eu-west-1"}) {
        auto request = reference_request();
        request.headers["Authorization"] = authorization(
            fmt::format("20261121/{}", region), "content-type;host;x-amz-date;x-amz-target", std::string(64, '0'));
        EXPECT_FALSE(authenticator.identify(request, kSigned));
        sign_again(request, "secret");
        EXPECT_TRUE(authenticator.identify(request, kSigned)) << region;
    }
}

TEST(Authenticator, a_token_identifies_the_client) {
    const auto identity = identify(with_authorization("Bearer a-token"));
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->caller.face, "token");
    EXPECT_EQ(identity->caller.user, "dashboard");
    EXPECT_EQ(identity->permissions.role, Role::Viewer);
    EXPECT_FALSE(identity->signature);
    EXPECT_EQ(identify(with_authorization("bearer another.token=="))->caller.user, "second");
}

TEST(Authenticator, a_token_that_is_unknown_or_none_is_refused_whatever_the_certificate) {
    const auto refused = [](const std::string& value) {
        const auto identity = identify(with_authorization(value), "ops.example.com");
        return identity ? std::nullopt : std::optional{identity.error().refusal};
    };
    EXPECT_EQ(refused("Bearer A-token"), Refusal::UnknownClient);
    EXPECT_EQ(refused("Bearer"), Refusal::IncompleteSignature);
    EXPECT_EQ(refused("Bearer a-token, Bearer a-token"), Refusal::IncompleteSignature);
    EXPECT_EQ(refused("Bearer a-token, AWS4-HMAC-SHA256 Credential=a"), Refusal::IncompleteSignature);
    EXPECT_EQ(refused("AWS4-HMAC-SHA256"), Refusal::IncompleteSignature);
}

TEST(Authenticator, a_listed_certificate_identifies_the_client_where_nothing_else_does) {
    const auto identity = identify(request_of("GET", "/", "", {}), "ops.example.com");
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->caller.face, "certificate");
    EXPECT_EQ(identity->caller.user, "ops.example.com");
    EXPECT_EQ(identify(reference_request(), "ops.example.com")->caller.face, "sigv4");
    EXPECT_EQ(identify(request_of("GET", "/", "", {}), "OPS.example.com").error().refusal, Refusal::NoCredentials);
}

TEST(Authenticator, a_request_without_credentials_identifies_no_client) {
    EXPECT_EQ(refusal_of(request_of("GET", "/", "", {})), Refusal::NoCredentials);
    EXPECT_EQ(refusal_of(with_authorization("Basic YTph")), Refusal::NoCredentials);
    EXPECT_FALSE(Authenticator{Credentials{}}.identify(reference_request(), kSigned));
}

TEST(Authenticator, errors_repeat_nothing_that_was_shown) {
    auto wrong = reference_request();
    sign_again(wrong, "Secret");
    EXPECT_EQ(identify(wrong).error().message,
              "the signature is not that of this request; are the secret and the client's signing right?");
    EXPECT_EQ(identify(with_authorization("Bearer A-token")).error().message, "the token is unknown");
}

}  // namespace authenticator_test
}  // namespace headgate::http::access
