// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "http/access/signature.h"

namespace headgate::http::access {
namespace {

constexpr std::string_view kBearer = "Bearer";

/// Stands in for unknown keys, so that the time of a check does not reveal whether a key exists.
const AccessKey& nobody() {
    static const AccessKey stranger{"", "nobody", {}};
    return stranger;
}

Caller caller_by(std::string_view face, std::string_view user) {
    Caller caller;
    caller.face = face;
    caller.user = user;
    return caller;
}

/// In whole seconds: the client's time may be any, and overflows in finer units.
Checked<void> check_time(const Signature& signature, Timestamp now) {
    const auto here = std::chrono::floor<std::chrono::seconds>(now);
    const auto apart = std::chrono::abs(here - signature.signed_at);
    if (apart <= kClockWindow) return {};
    return refuse(Refusal::Expired,
                  fmt::format("x-amz-date: {} is more than {} minutes from now; is the client's clock right?",
                              signature.time, kClockWindow.count()));
}

/// The characters of a token (RFC 6750, section 2.1).
constexpr bool fits_token(char c) {
    return is_letter_or_digit(c) || std::string_view{"-._~+/="}.find(c) != std::string_view::npos;
}

}  // namespace

Digest SigningKeys::find(const AccessKey& key, std::string_view date, std::string_view region) {
    auto name = compound_key({key.id, date, region});
    {
        const std::lock_guard lock{mutex_};
        if (const auto known = derived_.find(name); known != derived_.end()) return known->second;
    }
    const auto derived = derive_signing_key(key.secret, date, region);
    const std::lock_guard lock{mutex_};
    if (derived_.size() >= kMost) derived_.clear();
    derived_.insert_or_assign(std::move(name), derived);
    return derived;
}

Checked<Identity> Authenticator::identify(const Request& request, Timestamp now) const {
    auto rest = request.header("Authorization");
    const auto scheme = take_until(rest, ' ');
    if (equal_ignoring_case(scheme, kSignatureScheme)) return identify_signature(request, now);
    if (equal_ignoring_case(scheme, kBearer)) return identify_token(rest);
    return identify_certificate(request.certificate_name);
}

Checked<Identity> Authenticator::identify_signature(const Request& request, Timestamp now) const {
    ASSIGN_OR_RETURN(const auto signature, read_signature(request));
    RETURN_IF_ERROR(check_time(signature, now));
    ASSIGN_OR_RETURN(const auto canonical, canonical_request(request, signature));

    const auto& keys = credentials_.access_keys;
    const auto known = std::ranges::find(keys, signature.key_id, &AccessKey::id);
    const auto& key = known == keys.end() ? nobody() : *known;
    const auto signing_key = signing_keys_.find(key, signature.date, signature.region);
    const auto right = hmac_sha256(signing_key, string_to_sign(signature, canonical));
    const bool is_right = equal_in_constant_time(right, signature.digest);
    if (known == keys.end()) return refuse(Refusal::UnknownClient, "the access key is unknown");
    if (!is_right) {
        return refuse(Refusal::WrongSignature,
                      "the signature is not that of this request; are the secret and the client's signing right?");
    }
    return Identity{caller_by("sigv4", key.id), key.permissions,
                    RequestSignature{std::string{signature.hex}, Timestamp{signature.signed_at}}};
}

Checked<Identity> Authenticator::identify_token(std::string_view token) const {
    if (token.empty() || !std::ranges::all_of(token, fits_token)) {
        return refuse(Refusal::IncompleteSignature, "Authorization: must be Bearer and one token");
    }
    const auto digest = sha256(token);
    const BearerToken* known = nullptr;
    for (const auto& each : credentials_.tokens)
        if (equal_in_constant_time(each.sha256, digest)) known = &each;
    if (known == nullptr) return refuse(Refusal::UnknownClient, "the token is unknown");
    return Identity{caller_by("token", known->name), known->permissions, std::nullopt};
}

Checked<Identity> Authenticator::identify_certificate(std::string_view name) const {
    const auto& certificates = credentials_.certificates;
    const auto known = std::ranges::find(certificates, name, &ClientCertificate::name);
    if (known == certificates.end()) {
        return refuse(Refusal::NoCredentials,
                      name.empty() ? "sign the request, or show a token or a certificate"
                                   : "the certificate is none of those listed; sign the request, or show a token");
    }
    return Identity{caller_by("certificate", known->name), known->permissions, std::nullopt};
}

}  // namespace headgate::http::access
