// SPDX-License-Identifier: GPL-2.0-or-later
// Any method, target and headers of a signed request: it is refused without the secret, and accepted when it is signed
// with the secret and has the form of a signed request. The input is the head of a request, followed by its body.
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "http/access/authenticator.h"
#include "support/signed_requests.h"

namespace {

using namespace headgate;
using namespace headgate::http;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

const access::AccessKey& the_key() {
    static const access::AccessKey key{"AKIDEXAMPLE", std::string{kSecret}, {}};
    return key;
}

access::Authenticator make_authenticator() {
    access::Credentials credentials;
    credentials.access_keys = {the_key()};
    credentials.tokens = {{"token", sha256(kSecret), {}}};
    return access::Authenticator{std::move(credentials)};
}

/// More lenient than the server, which passes on valid HTTP only.
Request request_of(std::string_view text) {
    Request request;
    auto target = take_until(text, '\n');
    request.method = take_until(target, ' ');
    request.path = take_until(target, '?');
    request.query_text = target;
    while (!text.empty()) {
        auto value = take_until(text, '\n');
        if (value.empty()) break;
        const auto name = take_until(value, ':');
        request.headers.emplace(name, value);
    }
    request.body = text;
    return request;
}

/// Signs with the key's secret, whatever key the request names.
void sign(Request& request, const access::Signature& signature, std::string_view canonical) {
    static access::SigningKeys keys;
    testing::put_signature(request, signature, canonical, keys.find(the_key(), signature.date, signature.region));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto kAuthenticator = make_authenticator();
    constexpr Timestamp kNow = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + std::chrono::hours{8};
    auto request = request_of({reinterpret_cast<const char*>(data), size});
    const auto identity = kAuthenticator.identify(request, kNow);
    if (identity || identity.error().message.empty()) std::abort();

    const auto signature = access::read_signature(request);
    const auto canonical = signature.and_then([&](const auto& read) { return canonical_request(request, read); });
    if (canonical) sign(request, *signature, *canonical);
    const auto signed_identity = kAuthenticator.identify(request, kNow);
    const bool may_pass =
        canonical && signature->key_id == the_key().id &&
        equal_ignoring_case(request.header("Authorization").substr(0, 17), "AWS4-HMAC-SHA256 ") &&
        std::chrono::abs(signature->signed_at - std::chrono::floor<std::chrono::seconds>(kNow)) <= access::kClockWindow;
    if (signed_identity.has_value() != may_pass) std::abort();
    return 0;
}
