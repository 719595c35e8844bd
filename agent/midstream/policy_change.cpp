#include "midstream/policy_change.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <string_view>

#include "midstream/flushed_memory.h"
#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace {

constexpr std::array kWindowProtocols = {Protocol::Tcp, Protocol::Sctp};

constexpr std::size_t kElementsPerTransaction = 512;

/// The set of the other size that a set's elements belong to then.
std::string resized(std::string_view set, std::uint32_t size) {
    return fmt::format("{}_{}", set.substr(0, set.rfind('_')), size);
}

/// The sets of flushed flows that have another size than the policy's.
std::vector<std::string> sets_of_other_size(const std::vector<TableSet>& sets, const StreamExceptionPolicy& policy) {
    std::vector<std::string> names;
    if (policy.scope != MidstreamScope::Flushed) return names;
    for (const auto& set : sets) {
        const bool remembers = set.name.starts_with(kFlushedPrefix);
        if (remembers && set.name != resized(set.name, policy.remember_at_most)) names.push_back(set.name);
    }
    return names;
}

/// Of the flows that do not fit a smaller set, those of connections are still told by their packets.
Result<void> open_windows_for(NftTable& table, std::chrono::milliseconds time) {
    for (const auto protocol : kWindowProtocols) {
        if (auto opened = extend_window(table, protocol, time); !opened) return opened;
    }
    return {};
}

Result<void> copy_elements(NftTable& table, const std::string& from, const std::string& to) {
    const auto elements = table.elements(from);
    if (!elements) return tl::unexpected(elements.error());
    for (std::span<const SetElement> rest{*elements}; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), kElementsPerTransaction));
        rest = rest.subspan(some.size());
        const SetElements addition{to, {some.begin(), some.end()}};
        auto added = table.add({&addition, 1});
        if (added) continue;
        if (added.error().number != ENFILE) return added;
        return open_windows_for(table, std::ranges::max(*elements, {}, &SetElement::timeout).timeout);
    }
    return {};
}

/// Makes the sets of the new size and fills them, before any rule asks them.
Result<void> prepare_sets(NftTable& table, Nftables& nftables, const std::vector<std::string>& old_sets,
                          std::uint32_t size) {
    if (old_sets.empty()) return {};
    auto made = nftables.run(fmt::format("table inet {} {{\n{}}}\n", kTable, set_declarations(size)));
    if (!made) return made;
    for (const auto& set : old_sets) {
        if (auto copied = copy_elements(table, set, resized(set, size)); !copied) return copied;
    }
    return {};
}

/// One transaction that replaces whatever rules are in the table. Counters and sets stay, but for the old sets.
std::string replacement_text(const StreamExceptionPolicy& policy, const std::vector<TableChain>& chains,
                             const std::vector<std::string>& old_sets) {
    std::string text = fmt::format("add table inet {0}\nflush table inet {0}\n", kTable);
    for (const auto& chain : chains)
        text += fmt::format("delete chain inet {} {}\n", kTable, chain.name);
    for (const auto& set : old_sets)
        text += fmt::format("delete set inet {} {}\n", kTable, set);
    return text + fmt::format("table inet {} {{\n{}}}\n", kTable, ruleset_text(policy));
}

}  // namespace

Result<void> change_policy(NftTable& table, Nftables& nftables, const std::vector<TableChain>& chains,
                           const StreamExceptionPolicy& policy) {
    const auto sets = table.sets();
    if (!sets) return tl::unexpected(sets.error());
    const auto old_sets = sets_of_other_size(*sets, policy);
    return prepare_sets(table, nftables, old_sets, policy.remember_at_most).and_then([&] {
        return nftables.run(replacement_text(policy, chains, old_sets));
    });
}

}  // namespace headgate::midstream
