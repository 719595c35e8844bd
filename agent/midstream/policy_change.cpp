// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_change.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "base/text.h"
#include "midstream/change_text.h"
#include "midstream/flushed_sets.h"
#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace {

constexpr std::size_t kElementsPerTransaction = 512;

/// The set of the given size to which a set's elements move. In version 0.1.0 sets from which no rule could remove an
/// element had other names; a set's flags cannot be changed.
std::string resized(std::string_view set, std::uint32_t size) {
    constexpr std::string_view kOldStem = "flushed_ports_";
    auto stem = std::string{set.substr(0, set.rfind('_'))};
    if (stem.starts_with(kOldStem)) stem.replace(0, kOldStem.size(), "flushed_tuple_");
    return fmt::format("{}_{}", stem, size);
}

bool is_flushed_set(std::string_view name, std::uint32_t size) {
    return std::ranges::any_of(all_flushed_sets(), [&](const auto& set) { return name_of(set, size) == name; });
}

/// The sets of flushed flows that the policy does not use: those of another size, and those of earlier versions.
std::vector<std::string> sets_to_replace(const std::vector<TableSet>& sets, const StreamExceptionPolicy& policy) {
    std::vector<std::string> names;
    if (policy.scope != MidstreamScope::Flushed) return names;
    for (const auto& set : sets) {
        const bool remembers = set.name.starts_with(kFlushedPrefix);
        if (remembers && !is_flushed_set(set.name, policy.remember_at_most)) names.push_back(set.name);
    }
    return names;
}

/// Reads all elements first, so that a lack of space is detected before anything is changed.
Result<std::vector<SetElements>> elements_to_move(NftTable& table, const std::vector<std::string>& old_sets,
                                                  std::uint32_t size) {
    std::vector<SetElements> moving;
    for (const auto& set : old_sets) {
        if (!is_flushed_set(resized(set, size), size)) continue;  // version 0.1.0 kept ICMP echo in separate sets
        ASSIGN_OR_RETURN(auto elements, table.elements(set));
        if (elements.size() > size) {
            const auto last = std::ranges::max(elements, {}, &SetElement::timeout).timeout;
            return refused(
                "{} flushed flows are remembered, and the policy remembers {} at most: wait about {} until they "
                "are forgotten, or remove the policy first; nothing was changed",
                elements.size(), size, rounded_duration(std::chrono::ceil<std::chrono::seconds>(last)));
        }
        moving.push_back({resized(set, size), std::move(elements)});
    }
    return moving;
}

Result<void> add_in_portions(NftTable& table, const SetElements& all) {
    for (std::span<const SetElement> rest{all.elements}; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), kElementsPerTransaction));
        rest = rest.subspan(some.size());
        const SetElements portion{all.set, {some.begin(), some.end()}};
        RETURN_IF_ERROR(table.add({&portion, 1}));
    }
    return {};
}

/// Creates the sets of the new size and fills them, before any rule looks them up.
Result<void> prepare_sets(NftTable& table, Nftables& nftables, const std::vector<std::string>& old_sets,
                          std::uint32_t size) {
    if (old_sets.empty()) return {};
    ASSIGN_OR_RETURN(const auto moving, elements_to_move(table, old_sets, size));
    RETURN_IF_ERROR(nftables.run(fmt::format("table inet {} {{\n{}}}\n", kTable, set_declarations(size))));
    for (const auto& elements : moving) {
        RETURN_IF_ERROR(add_in_portions(table, elements));
    }
    return {};
}

/// A dormant table cannot be woken and changed in one transaction (nf_tables_api.c, nf_tables_updtable).
Result<void> wake(Nftables& nftables, const std::vector<TableChain>& chains) {
    return chains.empty() ? Result<void>{} : nftables.run(fmt::format("add table inet {}", kTable));
}

/// The wait if the kernel cannot be asked. No guarantee: a packet passes a hook in microseconds, unless its CPU is
/// taken away (by a hypervisor, or in a preemptible kernel), which lasts about a time slice.
constexpr std::chrono::milliseconds kLongEnough{100};

/// A packet passes a hook under rcu_read_lock() (include/linux/netfilter.h, nf_hook), and this system call is
/// synchronize_rcu() (kernel/sched/membarrier.c). But it is refused if nohz_full= is in use, and does not wait on a
/// single CPU.
bool wait_for_kernel() {
    return ::get_nprocs() > 1 && ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0;
}

/// Waits until no packet in flight uses the previous hooks, chains and rules any more: some milliseconds, more on a
/// machine with many CPUs.
void wait_for_packets_under_way() {
    if (!wait_for_kernel()) std::this_thread::sleep_for(kLongEnough);
}

/// Removes nothing before every packet passes what was added.
Result<void> replace(Nftables& nftables, const std::string& addition, const std::string& removal) {
    RETURN_IF_ERROR(nftables.run(addition));
    if (removal.empty()) return {};
    wait_for_packets_under_way();
    return nftables.run(removal);
}

}  // namespace

Result<void> change_policy(NftTable& table, Nftables& nftables, const std::vector<TableChain>& chains,
                           const StreamExceptionPolicy& policy) {
    ASSIGN_OR_RETURN(const auto sets, table.sets());
    const auto old_sets = sets_to_replace(sets, policy);
    RETURN_IF_ERROR(prepare_sets(table, nftables, old_sets, policy.remember_at_most));
    const auto removal = removal_text(chains, old_sets);
    return wake(nftables, chains)
        .and_then([&] { return nftables.check(removal); })
        .and_then([&] { return replace(nftables, addition_text(policy, chains), removal); })
        .map_error([&](Error error) {
            error.message += " (if others have put something into the table inet headgate: policy remove, then apply)";
            return error;
        });
}

}  // namespace headgate::midstream
