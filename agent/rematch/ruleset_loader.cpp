// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/ruleset_loader.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "netlink/message_writer.h"
#include "rematch/expressions.h"
#include "rematch/nft_batch.h"
#include "rematch/own_chains.h"

namespace headgate::rematch {
namespace {

using netlink::Attribute;
using netlink::Bytes;
using netlink::for_each_attribute;
using netlink::MessageWriter;

/// A nest's length is a 16-bit number.
constexpr std::size_t kLongestElementList = 60000;

/// Whether rules of the family see packets that are routed.
bool sees_routed_packets(std::uint8_t family) {
    return family == NFPROTO_INET || family == NFPROTO_IPV4 || family == NFPROTO_IPV6 || family == NFPROTO_NETDEV;
}

/// iptables' matches want to know the protocol that the rule has compared, which is not dumped (nft_compat.c,
/// nft_parse_compat).
void write_compatibility(MessageWriter& writer, const RuleBytecode& rule) {
    const auto is_extension = [](const Expression& expression) {
        return expression.name == "match" || expression.name == "target";
    };
    const auto found = std::ranges::find_if(rule.expressions, is_extension);
    if (found == rule.expressions.end()) return;
    const auto kind = packet_kind_before(rule, rule.expressions.size());
    if (kind.transport == 0) return;
    writer.nest(NFTA_RULE_COMPAT, [&] {
        writer.big_endian<std::uint32_t>(NFTA_RULE_COMPAT_PROTO, kind.transport);
        writer.big_endian<std::uint32_t>(NFTA_RULE_COMPAT_FLAGS, 0);
    });
}

bool is_end(Bytes element) {
    return (number_in(element, NFTA_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END) != 0;
}

Bytes key_of(Bytes element) {
    return bytes_in(bytes_in(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
}

/// The kernel dumps intervals from the greatest on, and wants each start before its end, the lowest first.
std::vector<ByteString> sorted_intervals(std::vector<ByteString> elements) {
    std::ranges::stable_sort(elements, [](const ByteString& left, const ByteString& right) {
        const Bytes left_key = key_of(left);
        const Bytes right_key = key_of(right);
        if (!std::ranges::equal(left_key, right_key)) return std::ranges::lexicographical_compare(left_key, right_key);
        return is_end(left) && !is_end(right);
    });
    return elements;
}

/// An anonymous set may leave out an end that the next start implies, which a set that several rules look up may not
/// (nft_set_rbtree.c, __nft_rbtree_insert).
std::vector<ByteString> with_explicit_ends(std::vector<ByteString> elements) {
    std::vector<ByteString> complete;
    bool open = false;  // an interval began and has not ended
    for (auto& element : elements) {
        const bool end = is_end(element);
        if (open && !end) {
            MessageWriter writer;
            writer.nest(NFTA_SET_ELEM_KEY, [&] { writer.attribute(NFTA_DATA_VALUE, key_of(element)); });
            writer.big_endian<std::uint32_t>(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
            complete.emplace_back(writer.bytes().begin(), writer.bytes().end());
        }
        open = !end && !has(element, NFTA_SET_ELEM_KEY_END) && has(element, NFTA_SET_ELEM_KEY);
        complete.push_back(std::move(element));
    }
    return complete;
}

enum class CopyMode : std::uint8_t { AsItIs, Instrumented };

/// Writes the parts of a ruleset in the order in which they refer to each other.
class RulesetWriter {
  public:
    RulesetWriter(const RulesetBytecode& ruleset, CopyMode mode) : ruleset_(ruleset), mode_(mode) {}

    void add_tables() {
        for (const auto& table : ruleset_.tables) {
            if (!is_copied(table.family)) continue;
            batch_.add(NFT_MSG_NEWTABLE, NLM_F_CREATE, table.family, "table " + table.table,
                       [&](MessageWriter& writer) {
                           writer.text(NFTA_TABLE_NAME, table.table);
                           // A dormant table stays so; an owner's table is the judge's own here.
                           const auto flags = number_in(table.attributes, NFTA_TABLE_FLAGS) & NFT_TABLE_F_DORMANT;
                           writer.big_endian<std::uint32_t>(NFTA_TABLE_FLAGS, flags);
                       });
        }
    }

    void add_chains() {
        for (const auto& chain : ruleset_.chains) {
            if (!is_copied(chain.family)) continue;
            batch_.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain.family,
                       fmt::format("chain {} {}", chain.table, chain.name), [&](MessageWriter& writer) {
                           copy_without(writer, chain.attributes,
                                        {NFTA_CHAIN_HANDLE, NFTA_CHAIN_USE, NFTA_CHAIN_ID, NFTA_CHAIN_FLAGS,
                                         NFTA_CHAIN_COUNTERS});
                       });
        }
    }

    void add_objects() {
        for (const auto& object : ruleset_.objects) {
            if (!is_copied(object.family)) continue;
            batch_.add(NFT_MSG_NEWOBJ, NLM_F_CREATE, object.family,
                       fmt::format("object {} {}", object.table, object.name), [&](MessageWriter& writer) {
                           copy_without(writer, object.attributes, {NFTA_OBJ_HANDLE, NFTA_OBJ_USE});
                       });
        }
        if (mode_ == CopyMode::Instrumented) return;  // no rule of the copy offloads
        // Without flags: the links of the world have no hardware to offload to.
        for (const auto& flowtable : ruleset_.flowtables) {
            if (!is_copied(flowtable.family)) continue;
            batch_.add(NFT_MSG_NEWFLOWTABLE, NLM_F_CREATE, flowtable.family,
                       fmt::format("flowtable {} {}", flowtable.table, flowtable.name), [&](MessageWriter& writer) {
                           copy_without(writer, flowtable.attributes,
                                        {NFTA_FLOWTABLE_HANDLE, NFTA_FLOWTABLE_USE, NFTA_FLOWTABLE_FLAGS});
                       });
        }
    }

    void add_sets() {
        std::uint32_t id = 0;
        for (const auto& set : ruleset_.sets) {
            if (!is_copied(set.family)) continue;
            batch_.add(NFT_MSG_NEWSET, NLM_F_CREATE, set.family, fmt::format("set {} {}", set.table, set.name),
                       [&](MessageWriter& writer) { write_set(writer, set, ++id); });
        }
        for (const auto& set : ruleset_.sets) {
            if (is_copied(set.family)) add_elements(set);
        }
    }

    void add_rules(const InstrumentedRuleset& instrumented) {
        for (const auto& copied : instrumented.rules) {
            const auto& rule = ruleset_.rules[copied.rule];
            if (!is_copied(rule.family)) continue;
            add_rule(rule, copied.expressions, [&](MessageWriter& writer) { write_tag(writer, copied); });
        }
    }

    void add_rules_as_they_are() {
        for (const auto& rule : ruleset_.rules) {
            if (!is_copied(rule.family)) continue;
            add_rule(rule, rule.expressions, [&](MessageWriter& writer) {
                if (!rule.user_data.empty()) writer.attribute(NFTA_RULE_USERDATA, rule.user_data);
            });
        }
    }

    [[nodiscard]] NftBatch& batch() noexcept { return batch_; }

  private:
    template <typename UserData>
    void add_rule(const RuleBytecode& rule, const std::vector<Expression>& expressions, UserData user_data) {
        batch_.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, rule.family,
                   fmt::format("rule with handle {} of chain {} {}", rule.handle, rule.table, rule.chain),
                   [&](MessageWriter& writer) {
                       writer.text(NFTA_RULE_TABLE, rule.table);
                       writer.text(NFTA_RULE_CHAIN, rule.chain);
                       write_expressions(writer, expressions);
                       write_compatibility(writer, rule);
                       user_data(writer);
                   });
    }

    /// A candidate may change any table.
    [[nodiscard]] bool is_copied(std::uint8_t family) const {
        return mode_ == CopyMode::AsItIs || sees_routed_packets(family);
    }

    static void write_tag(MessageWriter& writer, const CopiedRule& copied);

    void write_set(MessageWriter& writer, const SetBytecode& set, std::uint32_t id) const {
        for_each_attribute(set.attributes, [&](const Attribute& attribute) {
            const auto type = attribute.type;
            const bool instrumented = mode_ == CopyMode::Instrumented;
            if (type == NFTA_SET_HANDLE || type == NFTA_SET_ID || type == NFTA_SET_PAD || type > NFTA_SET_EXPRESSIONS) {
                return;
            }
            if (instrumented && (type == NFTA_SET_EXPR || type == NFTA_SET_EXPRESSIONS)) return;
            // An anonymous set can be looked up by one rule only, but a tripwire looks it up, too.
            if (instrumented && type == NFTA_SET_FLAGS) {
                return writer.big_endian<std::uint32_t>(NFTA_SET_FLAGS, set.flags & ~std::uint32_t{NFT_SET_ANONYMOUS});
            }
            writer.copy(attribute);
        });
        writer.big_endian(NFTA_SET_ID, id);
    }

    [[nodiscard]] std::vector<ByteString> elements_of(const SetBytecode& set) const {
        if ((set.flags & NFT_SET_INTERVAL) == 0) return set.elements;
        auto sorted = sorted_intervals(set.elements);
        const bool completed = mode_ == CopyMode::Instrumented && (set.flags & NFT_SET_ANONYMOUS) != 0;
        return completed ? with_explicit_ends(std::move(sorted)) : sorted;
    }

    void add_elements(const SetBytecode& set) {
        const auto elements = elements_of(set);
        for (std::size_t next = 0; next < elements.size();) {
            batch_.add(NFT_MSG_NEWSETELEM, NLM_F_CREATE, set.family,
                       fmt::format("elements of set {} {}", set.table, set.name), [&](MessageWriter& writer) {
                           writer.text(NFTA_SET_ELEM_LIST_TABLE, set.table);
                           writer.text(NFTA_SET_ELEM_LIST_SET, set.name);
                           writer.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
                               const auto start = writer.size();
                               for (; next < elements.size() && writer.size() - start < kLongestElementList; ++next) {
                                   writer.nest(NFTA_LIST_ELEM, [&] { write_element(writer, elements[next]); });
                               }
                           });
                       });
        }
    }

    void write_element(MessageWriter& writer, Bytes element) const {
        if (mode_ == CopyMode::AsItIs) return copy_without(writer, element, {NFTA_SET_ELEM_PAD});
        copy_without(writer, element,
                     {NFTA_SET_ELEM_PAD, NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS, NFTA_SET_ELEM_USERDATA});
    }

    const RulesetBytecode& ruleset_;
    CopyMode mode_;
    NftBatch batch_;
};

/// User data of a copied rule. Only this process reads it.
struct PackedTag {
    std::array<char, 4> magic{'h', 'g', '!', 0};
    std::uint32_t is_tripwire = 0;
    std::uint64_t rule = 0;
    std::uint64_t tripwire = 0;
};

void RulesetWriter::write_tag(MessageWriter& writer, const CopiedRule& copied) {
    const PackedTag tag{{'h', 'g', '!', 0}, copied.tripwire ? 1U : 0U, copied.rule, copied.tripwire.value_or(0)};
    writer.native(NFTA_RULE_USERDATA, tag);
}

}  // namespace

std::optional<RuleTag> parse_tag(Bytes user_data) {
    PackedTag tag;
    if (user_data.size() != sizeof tag) return std::nullopt;
    const auto magic = tag.magic;
    std::memcpy(&tag, user_data.data(), sizeof tag);
    if (tag.magic != magic) return std::nullopt;
    return RuleTag{tag.rule, tag.is_tripwire != 0 ? std::optional<std::size_t>{tag.tripwire} : std::nullopt};
}

Result<void> load_as_it_is(const RulesetBytecode& ruleset) {
    RulesetWriter writer{ruleset, CopyMode::AsItIs};
    writer.add_tables();
    writer.add_chains();
    writer.add_objects();
    writer.add_sets();
    writer.add_rules_as_they_are();
    return writer.batch().commit();
}

Result<void> load_instrumented(const RulesetBytecode& ruleset, const InstrumentedRuleset& instrumented,
                               std::uint32_t sentinel) {
    RulesetWriter writer{ruleset, CopyMode::Instrumented};
    writer.add_tables();
    writer.add_chains();
    writer.add_objects();
    writer.add_sets();
    writer.add_rules(instrumented);
    add_own_chains(writer.batch(), ruleset, sentinel);
    return writer.batch().commit();
}

Result<void> remove_all_tables() {
    NftBatch batch;
    batch.add(NFT_MSG_DELTABLE, 0, NFPROTO_UNSPEC, "removal of all tables", [](MessageWriter&) {});
    return batch.commit();
}

}  // namespace headgate::rematch
