// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/kernel_ruleset.h"

#include <algorithm>
#include <cerrno>

#include "midstream/nftables.h"
#include "midstream/policy_change.h"
#include "midstream/policy_note.h"
#include "midstream/remembered_flows.h"
#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace {

constexpr std::string_view kNothingRemembers = "no policy that remembers flushed flows is in force";

std::string_view comment_in(const std::vector<TableChain>& chains) {
    const auto chain = std::ranges::find(chains, kNoteChain, &TableChain::name);
    return chain == chains.end() ? std::string_view{} : chain->comment;
}

/// Whether the note describes exactly this policy, including its log.
bool is_noted(const StreamExceptionPolicy& policy, const std::vector<TableChain>& chains) {
    const auto note = parse_note(comment_in(chains));
    return note && note_text(policy, note->generation) == comment_in(chains);
}

/// The policy in the kernel: name and rules from the note, hooks and priority from the chains.
std::optional<StreamExceptionPolicy> policy_in(const std::vector<TableChain>& chains) {
    auto note = parse_note(comment_in(chains));
    if (!note) return std::nullopt;
    auto& policy = note->policy;
    policy.hooks.clear();
    for (const auto& chain : chains) {
        if (!chain.hook || chain.name != chain_name(to_string(*chain.hook), note->generation)) continue;
        policy.hooks.push_back(*chain.hook);
        policy.priority = chain.priority;
    }
    std::ranges::sort(policy.hooks);
    const auto silence = chain_name(kSilenceChain, note->generation);
    policy.reject_invalid = policy.exception == StreamException::Reject && policy.scope == MidstreamScope::All &&
                            std::ranges::find(chains, silence, &TableChain::name) == chains.end();
    return std::move(policy);
}

/// The chain that every policy has, of any generation.
bool is_exception_chain(const TableChain& chain) {
    return chain.name == kExceptionChain || chain.name.starts_with(fmt::format("{}_", kExceptionChain));
}

/// Refuses if the table is not headgate's: an operator may have one of the same name. A table of headgate's that
/// another program has edited is recognized by the record of what was applied, and by the remaining chains.
Result<void> check_owner(NftTable& table, const std::vector<TableChain>& chains, const PolicyStateFile& record) {
    if (parse_note(comment_in(chains))) return {};
    ASSIGN_OR_RETURN(const auto applied, record.read());
    if (applied && std::ranges::any_of(chains, is_exception_chain)) return {};
    ASSIGN_OR_RETURN(const auto sets, table.sets());
    ASSIGN_OR_RETURN(const auto counters, table.counters());
    if (chains.empty() && sets.empty() && counters.empty()) return {};
    return refused(
        "the table inet {0} was not made by headgate: rename or delete it (nft list table inet {0}); nothing "
        "was changed",
        kTable);
}

Result<RulesetCondition> condition_of(NftTable& table, const std::vector<TableChain>& chains,
                                      const PolicyStateFile& record) {
    ASSIGN_OR_RETURN(const auto applied, record.read());
    if (chains.empty()) return applied ? RulesetCondition::Missing : RulesetCondition::NothingApplied;
    if (!applied) return RulesetCondition::Unverified;
    return table.fingerprint().map([&](const std::string& fingerprint) {
        return fingerprint == applied->fingerprint ? RulesetCondition::AsApplied : RulesetCondition::Changed;
    });
}

Result<std::vector<PolicyCounter>> read_counters(NftTable& table) {
    ASSIGN_OR_RETURN(const auto counters, table.counters());
    std::vector<PolicyCounter> result;
    for (const auto& counter : counters) {
        auto named = parse_counter_name(counter.name);
        if (!named) continue;
        named->packets = counter.packets;
        named->bytes = counter.bytes;
        result.push_back(std::move(*named));
    }
    return result;
}

}  // namespace

std::unique_ptr<KernelRuleset> KernelRuleset::open(netlink::NetworkNamespace where, std::filesystem::path run_folder,
                                                   std::chrono::seconds patience) {
    return std::unique_ptr<KernelRuleset>{new KernelRuleset{std::move(where), std::move(run_folder), patience}};
}

Result<NftTable*> KernelRuleset::table() {
    if (table_) return &*table_;
    RETURN_IF_ERROR(namespace_.run([&]() -> Result<void> {
        ASSIGN_OR_RETURN(auto table, NftTable::open());
        table_ = std::move(table);
        return {};
    }));
    return &*table_;
}

Result<std::optional<StreamExceptionPolicy>> KernelRuleset::in_force() {
    const auto opened = table();
    if (!opened && NftTable::is_missing(opened.error())) return std::nullopt;
    if (!opened) return tl::unexpected(opened.error());
    return (*opened)->chains().map(policy_in);
}

Result<Application> KernelRuleset::apply(const StreamExceptionPolicy& policy) {
    ASSIGN_OR_RETURN(const auto opened, table());
    NftTable& table = *opened;
    ASSIGN_OR_RETURN(const auto record, this->record());
    ASSIGN_OR_RETURN(const auto alone, record.lock(patience_));
    ASSIGN_OR_RETURN(const auto chains, table.chains());
    RETURN_IF_ERROR(check_owner(table, chains, record));
    if (is_noted(policy, chains)) {
        const auto condition = condition_of(table, chains, record);
        if (condition && *condition == RulesetCondition::AsApplied) return Application::NotNeeded;
    }
    RETURN_IF_ERROR(namespace_.run([&]() -> Result<void> {
        ASSIGN_OR_RETURN(auto nftables, Nftables::open());
        return change_policy(table, nftables, chains, policy);
    }));
    ASSIGN_OR_RETURN(auto fingerprint, table.fingerprint());
    return alone.write({policy.name, std::move(fingerprint)}).map([] { return Application::Done; });
}

Result<void> KernelRuleset::remove() {
    ASSIGN_OR_RETURN(const auto opened, table());
    ASSIGN_OR_RETURN(const auto record, this->record());
    ASSIGN_OR_RETURN(const auto alone, record.lock(patience_));
    ASSIGN_OR_RETURN(const auto chains, opened->chains());
    RETURN_IF_ERROR(check_owner(*opened, chains, record));
    RETURN_IF_ERROR(namespace_.run([]() -> Result<void> {
        ASSIGN_OR_RETURN(auto nftables, Nftables::open());
        // Added first, because deleting a missing table fails.
        return nftables.run(fmt::format("add table inet {0}\ndelete table inet {0}\n", kTable));
    }));
    return alone.remove();
}

Result<PolicyStateFile> KernelRuleset::record() const {
    Result<PolicyStateFile> record = failed("no record");
    RETURN_IF_ERROR(namespace_.run([&]() -> Result<void> {
        record = PolicyStateFile::open(run_folder_);
        return {};
    }));
    return record;
}

Result<RulesetCondition> KernelRuleset::condition() {
    const auto opened = table();
    if (!opened && NftTable::is_missing(opened.error())) return RulesetCondition::NothingApplied;
    if (!opened) return tl::unexpected(opened.error());
    ASSIGN_OR_RETURN(const auto record, this->record());
    const auto unchanged = record.share(patience_);
    ASSIGN_OR_RETURN(const auto chains, (*opened)->chains());
    return condition_of(**opened, chains, record);
}

Result<std::vector<PolicyCounter>> KernelRuleset::counters() {
    const auto opened = table();
    if (!opened && NftTable::is_missing(opened.error())) return {};
    if (!opened) return tl::unexpected(opened.error());
    return read_counters(**opened);
}

Result<RulesetStatus> KernelRuleset::status() {
    ASSIGN_OR_RETURN(const auto opened, table());
    NftTable& table = *opened;
    RulesetStatus status;
    ASSIGN_OR_RETURN(const auto record, this->record());
    const auto unchanged = record.share(patience_);
    ASSIGN_OR_RETURN(const auto chains, table.chains());
    status.policy = policy_in(chains);
    ASSIGN_OR_RETURN(auto counters, read_counters(table));
    status.counters = std::move(counters);
    if (status.policy) {
        ASSIGN_OR_RETURN(const auto remembered, count_remembered_flows(table, status.policy->remember_at_most));
        status.remembered_flows = remembered;
    }
    ASSIGN_OR_RETURN(auto windows, open_windows(table));
    status.windows = std::move(windows);
    ASSIGN_OR_RETURN(const auto condition, condition_of(table, chains, record));
    status.condition = condition;
    if (status.condition == RulesetCondition::Missing) {
        const auto applied = record.read();
        if (applied && *applied) status.missing_policy = (*applied)->policy;
    }
    return status;
}

/// Version 0.1.0 remembered flows in sets of other names, which its rules look up.
tl::unexpected<Error> KernelRuleset::why_nothing_remembers() {
    const auto policy = in_force();
    if (!policy || !*policy || (*policy)->scope != MidstreamScope::Flushed) return failed("{}", kNothingRemembers);
    return refused("an earlier version of headgate has applied the policy {}: headgate policy apply {} renews it",
                   (*policy)->name, (*policy)->name);
}

/// Excludes policy changes, so that flows are not remembered in sets that no rule looks up any more, and forgotten
/// flows do not stay in sets with which another process has replaced them.
Result<void> KernelRuleset::with_sets(const SetsChange& change) {
    ASSIGN_OR_RETURN(const auto opened, table());
    ASSIGN_OR_RETURN(const auto record, this->record());
    ASSIGN_OR_RETURN(const auto alone, record.lock(patience_));
    const auto try_once = [&]() -> Result<void> {
        ASSIGN_OR_RETURN(const auto size, set_size(*opened));
        if (!size) return make_error(ErrorKind::Missing, "{}", kNothingRemembers);
        return change(*opened, *size);
    };
    auto changed = try_once();
    if (changed || changed.error().kind != ErrorKind::Missing) return changed;
    set_size_.reset();  // the size was that of a previous policy's sets
    return try_once();
}

Result<Remembered> KernelRuleset::remember(std::span<const FlowRow> rows, std::optional<std::chrono::seconds> time) {
    if (rows.empty()) return Remembered::All;
    auto added =
        with_sets([&](NftTable& table, std::uint32_t size) { return table.add(elements_for(rows, time, size)); });
    if (added) return Remembered::All;
    if (added.error().number == ENFILE) return Remembered::None;
    if (added.error().kind == ErrorKind::Missing) return why_nothing_remembers();
    return tl::unexpected(std::move(added.error()));
}

/// The size of the sets in which flows are remembered; none if no policy remembers flows.
Result<std::optional<std::uint32_t>> KernelRuleset::set_size(NftTable& table) {
    if (set_size_) return set_size_;
    ASSIGN_OR_RETURN(const auto policy, table.chains().map(policy_in));
    if (policy && policy->scope == MidstreamScope::Flushed) set_size_ = policy->remember_at_most;
    return set_size_;
}

Result<void> KernelRuleset::forget(std::span<const FlowRow> rows) {
    if (rows.empty()) return {};
    const auto opened = table();
    if (!opened && NftTable::is_missing(opened.error())) return {};
    auto forgotten = with_sets([&](NftTable& table, std::uint32_t size) {
        return table.forget(elements_for(rows, std::chrono::seconds{1}, size));
    });
    if (!forgotten && forgotten.error().kind == ErrorKind::Missing)
        return {};  // the sets are gone, and the flows with them
    return forgotten;
}

Result<void> KernelRuleset::open_window(Protocol protocol, std::chrono::seconds time) {
    ASSIGN_OR_RETURN(const auto opened, table());
    ASSIGN_OR_RETURN(const auto record, this->record());
    ASSIGN_OR_RETURN(const auto alone, record.lock(patience_));
    auto extended = extend_window(*opened, protocol, time);
    if (!extended && extended.error().kind == ErrorKind::Missing) return failed("{}", kNothingRemembers);
    return extended;
}

}  // namespace headgate::midstream
