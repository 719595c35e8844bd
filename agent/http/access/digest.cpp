// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <new>

namespace headgate::http::access {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view text_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// 16 for a character that is no digit.
constexpr unsigned digit_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return 16;
}

}  // namespace

// Both OpenSSL functions fail only for lack of memory, and must never leave a digest that was not computed.

Digest sha256(std::string_view text) {
    Digest digest{};
    if (::SHA256(bytes_of(text), text.size(), digest.data()) == nullptr) throw std::bad_alloc{};
    return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view text) {
    Digest digest{};
    const auto* made = ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
                              digest.data(), nullptr);
    if (made == nullptr) throw std::bad_alloc{};
    return digest;
}

Digest hmac_sha256(const Digest& key, std::string_view text) {
    return hmac_sha256(text_of(key), text);
}

bool equal_in_constant_time(const Digest& a, const Digest& b) {
    return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(const Digest& digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * digest.size());
    for (const auto byte : digest) {
        hex.push_back(kDigits[byte >> 4U]);
        hex.push_back(kDigits[byte & 15U]);
    }
    return hex;
}

std::optional<Digest> parse_digest(std::string_view hex) {
    Digest digest{};
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto high = digit_value(hex[2 * i]);
        const auto low = digit_value(hex[2 * i + 1]);
        if (high > 15 || low > 15) return std::nullopt;
        digest.at(i) = static_cast<std::uint8_t>(high << 4U | low);
    }
    return digest;
}

}  // namespace headgate::http::access
