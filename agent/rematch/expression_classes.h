// SPDX-License-Identifier: GPL-2.0-or-later
// Which expressions of nf_tables a copy of the ruleset evaluates as the gateway would, for the first packet of a
// connection. A whitelist: an expression, key or match that is not listed is undecidable.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "rematch/bytecode.h"

namespace headgate::rematch {

/// How a packet comes to the rules.
namespace packet_way {
inline constexpr std::uint8_t kForward = 1;
inline constexpr std::uint8_t kInput = 2;
inline constexpr std::uint8_t kOutput = 4;  ///< from this machine, also to itself
inline constexpr std::uint8_t kAny = kForward | kInput | kOutput;
}  // namespace packet_way

enum class Treatment : std::uint8_t {
    Exact,        ///< copied: its result is the same
    Omitted,      ///< left out: it decides nothing about a first packet
    Reject,       ///< copied as a drop
    Limit,        ///< left out: true as long as a limit is not exceeded
    OverLimit,    ///< false as long as a limit is not exceeded
    PacketMark,   ///< copied; a local socket may have set what is 0 here
    CtMark,       ///< copied; another connection may have set what is 0 here
    CtLabels,     ///< likewise
    SetRead,      ///< copied; rules add to the set
    SetWrite,     ///< left out; rules read the set
    Undecidable,  ///< depends on what is not known
};

struct ExpressionClass {
    Treatment treatment = Treatment::Exact;
    std::string reason{};                  ///< what it depends on, in nft's words
    std::uint8_t ways = packet_way::kAny;  ///< of the packets for which it matters
    std::string set{};                     ///< of SetRead and SetWrite

    friend bool operator==(const ExpressionClass&, const ExpressionClass&) = default;
};

/// What is known of the packets that reach an expression, by the comparisons before it in its rule.
struct PacketKind {
    std::uint8_t network = 0;    ///< NFPROTO_IPV4 or NFPROTO_IPV6; 0: either
    std::uint8_t transport = 0;  ///< IANA's number; 0: any
};

/// Before the expression with this index.
[[nodiscard]] PacketKind packet_kind_before(const RuleBytecode& rule, std::size_t index);

/// Classifies expressions of one ruleset.
class ExpressionClasses {
  public:
    /// `other_link_types`: links are not all Ethernet, while their copies are.
    ExpressionClasses(const RulesetBytecode& ruleset, bool other_link_types);

    /// Of the rule's expression with this index.
    [[nodiscard]] ExpressionClass classify(const RuleBytecode& rule, std::size_t index) const;

  private:
    using Name = std::tuple<std::uint8_t, std::string, std::string>;  ///< family, table, name

    [[nodiscard]] ExpressionClass classify_lookup(const RuleBytecode& rule, netlink::Bytes data) const;
    [[nodiscard]] ExpressionClass classify_dynset(const RuleBytecode& rule, netlink::Bytes data) const;
    [[nodiscard]] ExpressionClass classify_meta(netlink::Bytes data) const;
    [[nodiscard]] ExpressionClass classify_object(const RuleBytecode& rule, netlink::Bytes data) const;

    bool other_link_types_;
    std::set<Name> written_;                                   ///< sets to which rules add
    std::set<Name> read_;                                      ///< sets that rules look up
    std::map<Name, bool> limiting_;                            ///< sets whose elements have a limit: whether `over`
    std::map<Name, std::uint32_t> object_maps_;                ///< type of object to which a map leads
    std::map<std::pair<Name, std::uint32_t>, bool> inverted_;  ///< limits and quotas by name and type: whether `over`
};

}  // namespace headgate::rematch
