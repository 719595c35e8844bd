#include "midstream/policy_change.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string>

#include "midstream/flushed_memory.h"
#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace {

constexpr std::array kWindowProtocols = {Protocol::Tcp, Protocol::Sctp};

/// As long as it may take to carry remembered flows over to new sets, amply.
constexpr std::chrono::seconds kCarryWindow{10};

constexpr std::size_t kElementsPerTransaction = 512;

/// One transaction that replaces whatever rules are in the table. Sets, counters and what is in them stay, but for
/// the sets that are to be forgotten.
std::string replacement_text(const StreamExceptionPolicy& policy, const std::vector<TableChain>& chains,
                             const std::vector<std::string>& forgotten) {
    std::string text = fmt::format("add table inet {0}\nflush table inet {0}\n", kTable);
    for (const auto& chain : chains)
        text += fmt::format("delete chain inet {} {}\n", kTable, chain.name);
    for (const auto& set : forgotten)
        text += fmt::format("delete set inet {} {}\n", kTable, set);
    return text + fmt::format("table inet {} {{\n{}}}\n", kTable, ruleset_text(policy));
}

/// The sets whose size is not the policy's: a set's size cannot be changed.
std::vector<std::string> sets_of_other_size(const std::vector<TableSet>& sets, const StreamExceptionPolicy& policy) {
    std::vector<std::string> names;
    if (policy.scope != MidstreamScope::Flushed) return names;
    for (const auto& flushed : all_flushed_sets()) {
        const auto name = name_of(flushed);
        const auto set = std::ranges::find(sets, name, &TableSet::name);
        if (set != sets.end() && set->size != policy.remember_at_most) names.push_back(name);
    }
    return names;
}

/// While elements move from the old sets to the new, no packet of theirs may slip through: the protocols for which no
/// window is open get a short one in the same transaction.
Result<std::string> carry_windows(NftTable& table) {
    const auto open = open_windows(table);
    if (!open) return tl::unexpected(open.error());
    std::string text;
    for (const auto protocol : kWindowProtocols) {
        if (std::ranges::find(*open, protocol, &MidstreamWindow::protocol) != open->end()) continue;
        text += fmt::format("add element inet {} {} {{ {} timeout {}s }}\n", kTable, kWindows, to_string(protocol),
                            kCarryWindow.count());
    }
    return text;
}

/// Puts the elements back. Those that do not fit a smaller set leave a window in their place.
Result<void> carry_over(NftTable& table, const std::vector<SetElements>& remembered) {
    for (const auto& [set, elements] : remembered) {
        for (std::span<const SetElement> rest{elements}; !rest.empty();) {
            const auto some = rest.first(std::min(rest.size(), kElementsPerTransaction));
            rest = rest.subspan(some.size());
            const SetElements addition{set, {some.begin(), some.end()}};
            const auto added = table.add({&addition, 1});
            if (added) continue;
            if (added.error().number != ENFILE) return added;
            const auto longest = std::ranges::max(elements, {}, &SetElement::timeout).timeout;
            const std::array windows = {window_for(Protocol::Tcp, longest), window_for(Protocol::Sctp, longest)};
            if (auto opened = table.add(windows); !opened) return opened;
            break;
        }
    }
    return {};
}

}  // namespace

Result<void> change_policy(NftTable& table, Nftables& nftables, const std::vector<TableChain>& chains,
                           const StreamExceptionPolicy& policy) {
    const auto sets = table.sets();
    if (!sets) return tl::unexpected(sets.error());
    const auto forgotten = sets_of_other_size(*sets, policy);
    auto text = replacement_text(policy, chains, forgotten);
    std::vector<SetElements> carried;
    if (!forgotten.empty()) {
        auto remembered = remembered_elements(table);
        if (!remembered) return tl::unexpected(std::move(remembered.error()));
        carried = std::move(*remembered);
    }
    if (!carried.empty()) {
        const auto windows = carry_windows(table);
        if (!windows) return tl::unexpected(windows.error());
        text += *windows;
    }
    if (auto replaced = nftables.run(text); !replaced) return tl::unexpected(std::move(replaced.error()));
    return carry_over(table, carried);
}

}  // namespace headgate::midstream
