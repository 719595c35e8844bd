// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/digest.h"

#include <Poco/DigestEngine.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <new>

#include "base/text.h"

namespace headgate {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view text_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
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
    return Poco::DigestEngine::digestToHex({digest.begin(), digest.end()});
}

std::optional<Digest> parse_digest(std::string_view hex) {
    Digest digest{};
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto byte = parse_unsigned<std::uint8_t>(hex.substr(2 * i, 2), 16);
        if (!byte) return std::nullopt;
        digest.at(i) = *byte;
    }
    return digest;
}

}  // namespace headgate
