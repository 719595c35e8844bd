// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/community_id.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>

namespace headgate::flowlog {
namespace {

constexpr std::size_t kDigest = 20;  // bytes of a SHA-1 digest

/// Seed, two addresses, protocol, padding, two ports.
constexpr std::size_t kLongestInput = 2 + 16 + 16 + 2 + 4;

constexpr std::string_view kVersion = "1:";

struct Ends {
    std::uint16_t first = 0;
    std::uint16_t second = 0;
};

struct Counterparts {
    std::uint8_t request;
    std::uint8_t reply;
};

// Request and reply types, as the specification takes them from Zeek (pycommunityid: icmp.py, icmp6.py).
constexpr std::array kIcmp{Counterparts{8, 0}, Counterparts{10, 9}, Counterparts{13, 14}, Counterparts{15, 16},
                           Counterparts{17, 18}};
constexpr std::array kIcmpv6{Counterparts{128, 129}, Counterparts{130, 131}, Counterparts{133, 134},
                             Counterparts{135, 136}, Counterparts{139, 140}, Counterparts{144, 145}};

std::optional<std::uint8_t> counterpart_of(Protocol protocol, std::uint8_t type) {
    const auto pairs =
        protocol == Protocol::Icmp ? std::span<const Counterparts>{kIcmp} : std::span<const Counterparts>{kIcmpv6};
    for (const auto& pair : pairs) {
        if (pair.request == type) return pair.reply;
        if (pair.reply == type) return pair.request;
    }
    return std::nullopt;
}

/// The ports, or the values that the specification uses in their place.
struct Ports {
    std::optional<Ends> ends;
    bool one_way = false;  ///< has no reply type, so the direction is significant
};

Ports ports_of(const FlowTuple& tuple) {
    switch (tuple.protocol) {
        // For all other protocols the specification uses the addresses alone, even if the protocol has ports.
        case Protocol::Tcp:
        case Protocol::Udp:
        case Protocol::Sctp:
            return {Ends{tuple.source_port, tuple.destination_port}};
        case Protocol::Icmp:
        case Protocol::Icmpv6:
            if (const auto other = counterpart_of(tuple.protocol, tuple.icmp_type))
                return {Ends{tuple.icmp_type, *other}};
            return {Ends{tuple.icmp_type, tuple.icmp_code}, true};
        default:
            return {};
    }
}

class HashInput {
  public:
    void add(const Address& address) {
        const auto size = address_octets(address.family);
        std::memcpy(bytes_.data() + size_, address.octets.data(), size);
        size_ += size;
    }
    void add(std::uint8_t byte) { bytes_[size_++] = byte; }
    void add_port(std::uint16_t port) {
        add(static_cast<std::uint8_t>(port >> 8U));
        add(static_cast<std::uint8_t>(port));
    }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return std::span{bytes_}.first(size_); }

  private:
    std::array<std::uint8_t, kLongestInput> bytes_{};
    std::size_t size_ = 2;  // after the seed, which is 0
};

HashInput hash_input(const FlowTuple& tuple) {
    const auto ports = ports_of(tuple);
    const auto ends = ports.ends.value_or(Ends{});
    const bool in_order =
        ports.one_way || std::tie(tuple.source.octets, ends.first) <= std::tie(tuple.destination.octets, ends.second);
    HashInput input;
    input.add(in_order ? tuple.source : tuple.destination);
    input.add(in_order ? tuple.destination : tuple.source);
    input.add(static_cast<std::uint8_t>(tuple.protocol));
    input.add(std::uint8_t{0});
    if (ports.ends) {
        input.add_port(in_order ? ends.first : ends.second);
        input.add_port(in_order ? ends.second : ends.first);
    }
    return input;
}

}  // namespace

/// Fetched once, because looking up the algorithm for each digest takes longer than the digest itself.
struct CommunityId::Hash {
    struct Free {
        void operator()(EVP_MD* fetched) const { EVP_MD_free(fetched); }
        void operator()(EVP_MD_CTX* made) const { EVP_MD_CTX_free(made); }
    };
    std::unique_ptr<EVP_MD, Free> algorithm{EVP_MD_fetch(nullptr, "SHA1", nullptr)};
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};

    /// False if the system's OpenSSL policy does not allow SHA-1.
    [[nodiscard]] bool digest(std::span<const std::uint8_t> bytes, std::array<std::uint8_t, kDigest>& result) const {
        return algorithm != nullptr && context != nullptr &&
               EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1 &&
               EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
               EVP_DigestFinal_ex(context.get(), result.data(), nullptr) == 1;
    }
};

CommunityId::CommunityId() : hash_(std::make_unique<Hash>()) {
    std::ranges::copy(kVersion, text_.begin());
}

CommunityId::~CommunityId() = default;

std::string_view CommunityId::of(const FlowTuple& tuple) {
    std::array<std::uint8_t, kDigest> digest{};
    if (!hash_->digest(hash_input(tuple).bytes(), digest)) return {};
    auto* const base64 = reinterpret_cast<unsigned char*>(text_.data() + kVersion.size());
    const int size = EVP_EncodeBlock(base64, digest.data(), static_cast<int>(digest.size()));
    return {text_.data(), kVersion.size() + static_cast<std::size_t>(size)};
}

}  // namespace headgate::flowlog
