// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/credentials.h"

#include <algorithm>

#include "base/printable.h"
#include "base/scalars.h"
#include "base/text.h"
#include "config/settings_reader.h"
#include "config/small_file.h"
#include "config/value_types.h"

namespace headgate::http::access {
namespace {

using config::SettingMap;
using config::ValueType;
using Need = config::Setting::Need;

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestSecret = 256;
constexpr std::size_t kLongestCommonName = 64;  // ub-common-name (RFC 5280, appendix A.1)

/// Errors state the rule only: the invalid value may be a secret on the wrong line.
template <typename T>
ValueType<T> unquoted(ValueType<T> type) {
    type.parse = [parse = type.parse, rule = type.rule](std::string_view text) -> Result<T> {
        auto value = parse(text);
        if (!value) return invalid("must be {}", rule);
        return value;
    };
    return type;
}

template <typename Fits>
ValueType<std::string> text(std::string rule, std::size_t longest, Fits fits) {
    const auto parse = [=](std::string_view text) -> Result<std::string> {
        if (text.empty() || text.size() > longest || !fits(text)) return invalid("no");
        return std::string{text};
    };
    return unquoted(ValueType<std::string>{std::move(rule), parse, [](const std::string& text) { return text; }});
}

/// Only characters that are allowed in a signature's credential scope, between slashes.
ValueType<std::string> identifier() {
    const auto fits = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; };
    return text(fmt::format("1 to {} letters, digits, `-` and `_`", kLongestName), kLongestName,
                [=](std::string_view text) { return std::ranges::all_of(text, fits); });
}

ValueType<std::string> secret() {
    const auto is_visible = [](char c) { return c > ' ' && c <= '~'; };
    return text(fmt::format("1 to {} visible ASCII characters", kLongestSecret), kLongestSecret,
                [=](std::string_view text) { return std::ranges::all_of(text, is_visible); });
}

ValueType<std::string> common_name() {
    return text(fmt::format("1 to {} bytes that can be shown", kLongestCommonName), kLongestCommonName,
                [](std::string_view text) { return !find_unprintable(text); });
}

ValueType<Digest> hash() {
    const auto parse = [](std::string_view text) -> Result<Digest> {
        const auto digest = parse_digest(text);
        if (!digest) return invalid("no");
        return *digest;
    };
    return unquoted(ValueType<Digest>{"64 hexadecimal digits", parse, to_hex});
}

ValueType<Role> role() {
    return unquoted(config::choice<Role>());
}

void add_permissions(SettingMap& known, Permissions& permissions, std::string_view example) {
    known.add(config::required("role", permissions.role, role(), example,
                               "What it may do: a viewer looks and captures; an operator also flushes, judges flows "
                               "by rulesets, and changes the stream exception policy and the quarantine."));
    known.add(config::optional_set("firewalls", permissions.firewalls, unquoted(config::name()), "edge",
                                   "The firewalls that it may see and use; without it, all of them."));
}

/// Checks the last entry against those before it.
template <typename Entry, typename Value>
Result<void> check_unique(const std::vector<Entry>& entries, Value Entry::*member, std::string_view key) {
    const auto last = entries.end() - 1;
    if (std::ranges::find(entries.begin(), last, (*last).*member, member) == last) return {};
    return invalid("{}: is in the list already", key);
}

SettingMap settings_of(AccessKey& key, const std::vector<AccessKey>& all) {
    SettingMap known;
    known.add(config::required("id", key.id, identifier(), "ADMIN-1", "What the client calls it: AWS_ACCESS_KEY_ID."));
    // No working example: it would admit anyone who has read it.
    known.add(config::required("secret", key.secret, secret(), "\"\"",
                               "What the client signs with: AWS_SECRET_ACCESS_KEY. `openssl rand -hex 32` makes one."));
    add_permissions(known, key.permissions, "operator");
    known.check = [&all] { return check_unique(all, &AccessKey::id, "id"); };
    return known;
}

SettingMap settings_of(BearerToken& token, const std::vector<BearerToken>& all) {
    SettingMap known;
    known.add(config::required("name", token.name, identifier(), "dashboard", "What logs call it."));
    known.add(config::required(
        "sha256", token.sha256, hash(), "0d2aa6abc1e57efb8bebac92ca8f4dfcb8d1ba67d2a29f57c92e4a93ee1bfd7e",
        "The SHA-256 of the token, which itself is kept nowhere: the first word that `printf %s TOKEN | "
        "sha256sum` prints."));
    add_permissions(known, token.permissions, "viewer");
    known.check = [&all] {
        return check_unique(all, &BearerToken::name, "name").and_then([&] {
            return check_unique(all, &BearerToken::sha256, "sha256");
        });
    };
    return known;
}

SettingMap settings_of(ClientCertificate& certificate, const std::vector<ClientCertificate>& all) {
    SettingMap known;
    known.add(config::required("name", certificate.name, common_name(), "ops.example.com",
                               "The common name of the certificate's subject."));
    add_permissions(known, certificate.permissions, "operator");
    known.check = [&all] { return check_unique(all, &ClientCertificate::name, "name"); };
    return known;
}

}  // namespace

SettingMap settings_of(Credentials& credentials) {
    SettingMap known;
    known.add(config::list_of_maps(
        "access_keys", Need::Optional, credentials.access_keys,
        [&](AccessKey& key) { return settings_of(key, credentials.access_keys); },
        "Keys with which requests are signed (AWS Signature Version 4)."));
    known.add(config::list_of_maps(
        "tokens", Need::Optional, credentials.tokens,
        [&](BearerToken& token) { return settings_of(token, credentials.tokens); },
        "Tokens that requests carry in Authorization: Bearer."));
    known.add(config::list_of_maps(
        "certificates", Need::Optional, credentials.certificates,
        [&](ClientCertificate& certificate) { return settings_of(certificate, credentials.certificates); },
        "Clients that are known by a certificate, which the listener's client_ca has signed."));
    return known;
}

Result<Credentials> load_credentials(const std::filesystem::path& file) {
    const auto parse = [&](const std::string& text) { return parse_credentials(text, file.native()); };
    auto secret = config::read_secret_file(file);
    if (secret) return parse(*secret);
    auto& fault = secret.error();
    const auto parsed = config::read_small_file(file).and_then(parse);
    if (!parsed && parsed.error().message != fault.message) fault.message += "\n" + parsed.error().message;
    return tl::unexpected(std::move(fault));
}

Result<Credentials> parse_credentials(const std::string& text, std::string_view name) {
    Credentials credentials;
    config::FaultList faults;
    faults.read(text, name, settings_of(credentials), config::Quoting::Forbidden);
    return faults.verdict().map([&] { return std::move(credentials); });
}

}  // namespace headgate::http::access
