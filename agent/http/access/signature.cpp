// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"
#include "http/router.h"

namespace headgate::http::access {
namespace {

constexpr std::string_view kTerminator = "aws4_request";
constexpr std::string_view kContentHash = "x-amz-content-sha256";
constexpr std::string_view kDate = "x-amz-date";
constexpr std::size_t kLongestKeyId = 128;
constexpr std::size_t kLongestRegion = 64;
constexpr std::size_t kMostSignedHeaders = 100;

tl::unexpected<AccessError> incomplete(std::string message) {
    return refuse(Refusal::IncompleteSignature, "Authorization: " + std::move(message));
}

constexpr bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

constexpr bool is_unreserved(char c) {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// The subset of a header name's characters (RFC 9110, section 5.6.2) that clients use.
constexpr bool fits_header_name(char c) {
    return is_lower_or_digit(c) || c == '-' || c == '_' || c == '.';
}

constexpr bool fits_region(char c) {
    return is_lower_or_digit(c) || c == '-';
}

constexpr bool is_visible(char c) {
    return c > ' ' && c <= '~';
}

constexpr bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/// The three parts of the header, each exactly once, in any order and with any spaces around the commas.
struct Parts {
    std::string_view credential;
    std::string_view signed_headers;
    std::string_view signature;
};

Checked<Parts> read_parts(std::string_view text) {
    Parts parts;
    const std::array places = {std::pair{std::string_view{"Credential"}, &parts.credential},
                               std::pair{std::string_view{"SignedHeaders"}, &parts.signed_headers},
                               std::pair{std::string_view{"Signature"}, &parts.signature}};
    while (!text.empty()) {
        auto value = trimmed(take_until(text, ','));
        const auto name = take_until(value, '=');
        const auto place = std::ranges::find(places, name, [](const auto& each) { return each.first; });
        if (place == places.end()) return incomplete("has a part that is none of Credential, SignedHeaders, Signature");
        if (!place->second->empty()) return incomplete(fmt::format("{} comes twice", name));
        *place->second = value;
    }
    for (const auto& [name, value] : places)
        if (value->empty()) return incomplete(fmt::format("{} is missing", name));
    return parts;
}

/// Parses `20261121T080442Z`, which must be a valid time.
std::optional<std::chrono::sys_seconds> parse_time(std::string_view text) {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t size) {
        return parse_unsigned<unsigned>(text.substr(at, size));
    };
    const auto year = number(0, 4);
    const auto month = number(4, 2);
    const auto day = number(6, 2);
    const auto hour = number(9, 2);
    const auto minute = number(11, 2);
    const auto second = number(13, 2);
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{*month},
                                           std::chrono::day{*day}};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
           std::chrono::seconds{*second};
}

Checked<void> read_time(const Request& request, Signature& signature) {
    signature.time = request.header(kDate);
    if (signature.time.empty()) return refuse(Refusal::IncompleteSignature, "x-amz-date: missing");
    const auto signed_at = parse_time(signature.time);
    if (!signed_at) {
        return refuse(Refusal::IncompleteSignature, "x-amz-date: must be a time such as 20261121T080442Z");
    }
    signature.signed_at = *signed_at;
    return {};
}

Checked<void> read_credential(std::string_view text, Signature& signature) {
    std::array<std::string_view, 5> scope;
    const auto slashes = std::ranges::count(text, '/');
    if (slashes != 4) return incomplete("Credential must be KEY/DATE/REGION/SERVICE/aws4_request");
    for (auto& part : scope)
        part = take_until(text, '/');
    const auto& [key_id, date, region, service, terminator] = scope;
    const bool is_key_id = !key_id.empty() && key_id.size() <= kLongestKeyId && std::ranges::all_of(key_id, is_visible);
    if (!is_key_id) return incomplete(fmt::format("Credential: a key has 1 to {} characters", kLongestKeyId));
    const bool is_region =
        !region.empty() && region.size() <= kLongestRegion && std::ranges::all_of(region, fits_region);
    if (!is_region) return incomplete("Credential: a region has small letters, digits and - alone");
    if (terminator != kTerminator) return incomplete("Credential must end with aws4_request");
    if (service != kService) {
        return refuse(Refusal::WrongSignature, fmt::format("Credential must be scoped to the service {}", kService));
    }
    if (date != signature.time.substr(0, 8)) {
        return refuse(Refusal::WrongSignature, "Credential must be scoped to the day of x-amz-date");
    }
    signature.key_id = key_id;
    signature.date = date;
    signature.region = region;
    return {};
}

Checked<void> read_signed_headers(std::string_view text, Signature& signature) {
    signature.signed_header_names = text;
    auto& names = signature.signed_headers;
    while (!text.empty()) {
        const auto name = take_until(text, ';');
        if (name.empty() || !std::ranges::all_of(name, fits_header_name)) {
            return incomplete("SignedHeaders must be names in small letters, with a ; between two");
        }
        if (!names.empty() && name <= names.back()) return incomplete("SignedHeaders must be sorted, and none twice");
        if (names.size() == kMostSignedHeaders) {
            return incomplete(fmt::format("SignedHeaders has more than {} names", kMostSignedHeaders));
        }
        names.push_back(name);
    }
    return {};
}

std::string in_lower_case(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), to_lower);
    return lower;
}

/// These identify the request: if unsigned, a part of it could be replaced.
bool must_be_signed(std::string_view name) {
    return name == "host" || (name.starts_with("x-amz-") && name != kContentHash);
}

Checked<void> check_all_is_signed(const Request& request, const Signature& signature) {
    const auto check = [&](std::string_view name) -> Checked<void> {
        if (std::ranges::binary_search(signature.signed_headers, name)) return {};
        return refuse(Refusal::WrongSignature, fmt::format("SignedHeaders must name {}", name));
    };
    RETURN_IF_ERROR(check("host"));
    for (const auto& [name, value] : request.headers) {
        const auto lower = in_lower_case(name);
        if (!must_be_signed(lower)) continue;
        RETURN_IF_ERROR(check(lower));
    }
    return {};
}

Checked<void> check_content_hash(const Request& request) {
    const auto stated = request.header(kContentHash);
    if (stated.empty() || stated == to_hex(sha256(request.body))) return {};
    return refuse(Refusal::WrongSignature, "x-amz-content-sha256: must be the SHA-256 of the body, in small letters");
}

/// Percent-encoding (RFC 3986, section 2.1) as AWS requires it: upper-case, all but unreserved characters.
void append_encoded(std::string& out, std::string_view text, std::string_view spared = {}) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_unreserved(c) || spared.find(c) != std::string_view::npos) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
        }
    }
}

/// Sorted by encoded name, then value.
Checked<std::string> canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    while (!query.empty()) {
        auto value = take_until(query, '&');
        if (value.empty()) continue;
        const auto name = decoded(take_until(value, '='), UrlPart::Query);
        const auto plain = decoded(value, UrlPart::Query);
        if (!name || !plain) return refuse(Refusal::IncompleteSignature, "the query is not well encoded");
        auto& parameter = parameters.emplace_back();
        append_encoded(parameter.first, *name);
        append_encoded(parameter.second, *plain);
    }
    std::ranges::sort(parameters);
    std::string canonical;
    for (const auto& [name, value] : parameters)
        canonical.append(canonical.empty() ? "" : "&").append(name).append("=").append(value);
    return canonical;
}

void append_header_value(std::string& out, std::string_view value) {
    bool after_space = false;
    for (const char c : trimmed(value)) {
        if (!is_space(c) || !after_space) out.push_back(is_space(c) ? ' ' : c);
        after_space = is_space(c);
    }
}

std::string scope_of(const Signature& signature) {
    return fmt::format("{}/{}/{}/{}", signature.date, signature.region, kService, kTerminator);
}

}  // namespace

Checked<Signature> read_signature(const Request& request) {
    auto text = request.header("Authorization");
    text.remove_prefix(std::min(text.size(), kSignatureScheme.size()));
    ASSIGN_OR_RETURN(const auto parts, read_parts(trimmed(text)));
    if (!request.header("x-amz-security-token").empty()) {
        return refuse(Refusal::UnknownClient, "x-amz-security-token: there are no session credentials here");
    }
    Signature signature;
    const auto digest = parse_digest(parts.signature);
    if (!digest || to_hex(*digest) != parts.signature) {
        return incomplete("Signature must be 64 hexadecimal digits in small letters");
    }
    signature.digest = *digest;
    signature.hex = parts.signature;
    RETURN_IF_ERROR(read_time(request, signature)
                        .and_then([&] { return read_credential(parts.credential, signature); })
                        .and_then([&] { return read_signed_headers(parts.signed_headers, signature); })
                        .and_then([&] { return check_all_is_signed(request, signature); })
                        .and_then([&] { return check_content_hash(request); }));
    return signature;
}

Checked<std::string> canonical_request(const Request& request, const Signature& signature) {
    ASSIGN_OR_RETURN(const auto query, canonical_query(request.query_text));
    std::string canonical = request.method + "\n";
    // Every service but S3 encodes the sent path once more. A path not in normal form (with `..` or an empty part) has
    // no route here, so it is used as received.
    append_encoded(canonical, request.path, "/");
    canonical.append("\n").append(query).append("\n");
    for (const auto name : signature.signed_headers) {
        // An absent header counts as empty: curl signs an Accept header that the user had it omit.
        canonical.append(name).append(":");
        append_header_value(canonical, request.header(name));
        canonical.append("\n");
    }
    return canonical.append("\n")
        .append(signature.signed_header_names)
        .append("\n")
        .append(to_hex(sha256(request.body)));
}

std::string string_to_sign(const Signature& signature, std::string_view canonical) {
    return fmt::format("{}\n{}\n{}\n{}", kSignatureScheme, signature.time, scope_of(signature),
                       to_hex(sha256(canonical)));
}

Digest derive_signing_key(std::string_view secret, std::string_view date, std::string_view region) {
    const auto of_date = hmac_sha256(fmt::format("AWS4{}", secret), date);
    const auto of_region = hmac_sha256(of_date, region);
    const auto of_service = hmac_sha256(of_region, kService);
    return hmac_sha256(of_service, kTerminator);
}

}  // namespace headgate::http::access
