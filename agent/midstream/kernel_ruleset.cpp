#include "midstream/kernel_ruleset.h"

#include <algorithm>
#include <cerrno>

#include "midstream/flushed_memory.h"
#include "midstream/nftables.h"
#include "midstream/policy_change.h"
#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace {

std::optional<Note> note_in(const std::vector<TableChain>& chains) {
    const auto chain = std::ranges::find(chains, kNoteChain, &TableChain::name);
    return chain == chains.end() ? std::nullopt : parse_note(chain->comment);
}

/// The policy as the kernel has it: its name and rules from the note, its place from the chains themselves.
std::optional<StreamExceptionPolicy> policy_in(const std::vector<TableChain>& chains) {
    auto note = note_in(chains);
    if (!note) return std::nullopt;
    auto& policy = note->policy;
    policy.hooks.clear();
    for (const auto& chain : chains) {
        if (!chain.hook || chain.name != to_string(*chain.hook)) continue;
        policy.hooks.push_back(*chain.hook);
        policy.priority = chain.priority;
    }
    std::ranges::sort(policy.hooks);
    return std::move(policy);
}

Result<std::vector<PolicyCounter>> read_counters(NftTable& table) {
    const auto counters = table.counters();
    if (!counters) return tl::unexpected(counters.error());
    std::vector<PolicyCounter> result;
    for (const auto& counter : *counters) {
        auto named = parse_counter_name(counter.name);
        if (!named) continue;
        named->packets = counter.packets;
        named->bytes = counter.bytes;
        result.push_back(std::move(*named));
    }
    return result;
}

}  // namespace

std::unique_ptr<KernelRuleset> KernelRuleset::open(netlink::NetworkNamespace where, std::filesystem::path run_folder) {
    return std::unique_ptr<KernelRuleset>{new KernelRuleset{std::move(where), std::move(run_folder)}};
}

Result<NftTable*> KernelRuleset::table() {
    if (table_) return &*table_;
    const auto opened = namespace_.run([&]() -> Result<void> {
        auto table = NftTable::open();
        if (!table) return tl::unexpected(std::move(table.error()));
        table_ = std::move(*table);
        return {};
    });
    if (!opened) return tl::unexpected(opened.error());
    return &*table_;
}

Result<std::optional<StreamExceptionPolicy>> KernelRuleset::in_force() {
    const auto opened = table();
    if (!opened && opened.error().number != EPERM) return std::nullopt;  // without nf_tables there can be none
    if (!opened) return tl::unexpected(opened.error());
    return (*opened)->chains().map(policy_in);
}

Result<void> KernelRuleset::apply(const StreamExceptionPolicy& policy) {
    const auto opened = table();
    if (!opened) return tl::unexpected(opened.error());
    NftTable& table = **opened;
    const auto chains = table.chains();
    if (!chains) return tl::unexpected(chains.error());
    const auto note = std::ranges::find(*chains, kNoteChain, &TableChain::name);
    if (note != chains->end() && note->comment == note_text(policy)) {
        const auto condition = condition_of(table, *chains);
        if (condition && *condition == RulesetCondition::AsApplied) return {};
    }
    auto changed = namespace_.run([&]() -> Result<void> {
        auto nftables = Nftables::open();
        if (!nftables) return tl::unexpected(std::move(nftables.error()));
        return change_policy(table, *nftables, *chains, policy);
    });
    if (!changed) return changed;
    auto fingerprint = table.fingerprint();
    if (!fingerprint) return tl::unexpected(std::move(fingerprint.error()));
    return record().and_then([&](const AppliedRecord& file) { return file.write({policy.name, *fingerprint}); });
}

Result<void> KernelRuleset::remove() {
    const auto opened = table();
    if (!opened) return tl::unexpected(opened.error());
    auto removed = namespace_.run([]() -> Result<void> {
        auto nftables = Nftables::open();
        if (!nftables) return tl::unexpected(std::move(nftables.error()));
        // Added first, so that there is one to delete.
        return nftables->run(fmt::format("add table inet {0}\ndelete table inet {0}\n", kTable));
    });
    if (!removed) return removed;
    return record().and_then([](const AppliedRecord& file) { return file.remove(); });
}

Result<AppliedRecord> KernelRuleset::record() const {
    Result<AppliedRecord> record = failed("no record");
    auto opened = namespace_.run([&]() -> Result<void> {
        record = AppliedRecord::open(run_folder_);
        return {};
    });
    if (!opened) return tl::unexpected(std::move(opened.error()));
    return record;
}

Result<RulesetCondition> KernelRuleset::condition() {
    const auto opened = table();
    if (!opened) return tl::unexpected(opened.error());
    const auto chains = (*opened)->chains();
    if (!chains) return tl::unexpected(chains.error());
    return condition_of(**opened, *chains);
}

Result<RulesetCondition> KernelRuleset::condition_of(NftTable& table, const std::vector<TableChain>& chains) const {
    const auto applied = record().and_then([](const AppliedRecord& file) { return file.read(); });
    if (!applied) return tl::unexpected(applied.error());
    if (chains.empty()) return *applied ? RulesetCondition::Missing : RulesetCondition::NothingApplied;
    if (!*applied) return RulesetCondition::Unverified;
    return table.fingerprint().map([&](const std::string& fingerprint) {
        return fingerprint == (*applied)->fingerprint ? RulesetCondition::AsApplied : RulesetCondition::Changed;
    });
}

Result<RulesetStatus> KernelRuleset::status() {
    const auto opened = table();
    if (!opened) return tl::unexpected(opened.error());
    NftTable& table = **opened;
    RulesetStatus status;
    const auto chains = table.chains();
    if (!chains) return tl::unexpected(chains.error());
    status.policy = policy_in(*chains);
    auto counters = read_counters(table);
    if (!counters) return tl::unexpected(std::move(counters.error()));
    status.counters = std::move(*counters);
    const auto remembered = remembered_elements(table);
    if (!remembered) return tl::unexpected(remembered.error());
    status.remembered_flows = count_flows(*remembered);
    auto windows = open_windows(table);
    if (!windows) return tl::unexpected(std::move(windows.error()));
    status.windows = std::move(*windows);
    const auto condition = condition_of(table, *chains);
    if (!condition) return tl::unexpected(condition.error());
    status.condition = *condition;
    if (status.condition == RulesetCondition::Missing) {
        const auto applied = record().and_then([](const AppliedRecord& file) { return file.read(); });
        if (applied && *applied) status.missing_policy = (*applied)->policy;
    }
    return status;
}

Result<Remembered> KernelRuleset::remember(std::span<const FlowRow> rows, std::chrono::seconds time) {
    return add(elements_for(rows, time)).map([](bool added) { return added ? Remembered::All : Remembered::None; });
}

Result<void> KernelRuleset::open_window(Protocol protocol, std::chrono::seconds time) {
    const auto opened = add({window_for(protocol, time)});
    if (!opened) return tl::unexpected(opened.error());
    return *opened ? Result<void>{} : failed("the set of windows in nftables is full");
}

/// Whether there was room.
Result<bool> KernelRuleset::add(const std::vector<SetElements>& additions) {
    if (additions.empty()) return true;
    const auto opened = table();
    if (!opened) return tl::unexpected(opened.error());
    auto added = (*opened)->add(additions);
    if (added) return true;
    if (added.error().number == ENFILE) return false;
    if (added.error().number == ENOENT) return failed("no policy that remembers flushed flows is in force");
    return tl::unexpected(std::move(added.error()));
}

}  // namespace headgate::midstream
