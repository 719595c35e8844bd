#include "midstream/kernel_ruleset.h"

#include <algorithm>
#include <cerrno>

#include "midstream/applied_record.h"
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

std::string listing_command() {
    return fmt::format("list table inet {}", kTable);
}

Result<RulesetCondition> condition_of(const std::vector<TableChain>& chains, Nftables& nftables,
                                      const AppliedRecord& record) {
    const auto applied = record.read();
    if (!applied) return tl::unexpected(applied.error());
    if (chains.empty()) return *applied ? RulesetCondition::Missing : RulesetCondition::NothingApplied;
    if (!*applied) return RulesetCondition::Unverified;
    return nftables.run(listing_command()).map([&](const std::string& listing) {
        return listing == (*applied)->listing ? RulesetCondition::AsApplied : RulesetCondition::Changed;
    });
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
    return table().and_then(
        [&](NftTable* table) { return namespace_.run([&] { return apply_inside(*table, policy); }); });
}

Result<void> KernelRuleset::apply_inside(NftTable& table, const StreamExceptionPolicy& policy) {
    const auto chains = table.chains();
    if (!chains) return tl::unexpected(chains.error());
    auto nftables = Nftables::open();
    if (!nftables) return tl::unexpected(std::move(nftables.error()));
    const auto record = AppliedRecord::open(run_folder_);
    if (!record) return tl::unexpected(record.error());
    const auto note = std::ranges::find(*chains, kNoteChain, &TableChain::name);
    if (note != chains->end() && note->comment == note_text(policy)) {
        const auto condition = condition_of(*chains, *nftables, *record);
        if (condition && *condition == RulesetCondition::AsApplied) return {};
    }
    if (auto changed = change_policy(table, *nftables, *chains, policy); !changed) return changed;
    return nftables->run(listing_command()).and_then([&](std::string listing) {
        return record->write({policy.name, std::move(listing)});
    });
}

Result<void> KernelRuleset::remove() {
    const auto opened = table();
    if (!opened) return tl::unexpected(opened.error());
    return namespace_.run([&]() -> Result<void> {
        auto nftables = Nftables::open();
        if (!nftables) return tl::unexpected(std::move(nftables.error()));
        // Added first, so that there is one to delete.
        auto deleted = nftables->run(fmt::format("add table inet {0}\ndelete table inet {0}\n", kTable));
        if (!deleted) return tl::unexpected(std::move(deleted.error()));
        return AppliedRecord::open(run_folder_).and_then([](const AppliedRecord& record) { return record.remove(); });
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
    const auto condition = this->condition();
    if (!condition) return tl::unexpected(condition.error());
    status.condition = *condition;
    if (status.condition != RulesetCondition::Missing) return status;
    return name_on_record().map([&](std::string name) {
        status.missing_policy = std::move(name);
        return std::move(status);
    });
}

Result<RulesetCondition> KernelRuleset::condition() {
    const auto opened = table();
    if (!opened) return tl::unexpected(opened.error());
    const auto chains = (*opened)->chains();
    if (!chains) return tl::unexpected(chains.error());
    auto condition = RulesetCondition::NothingApplied;
    auto judged = namespace_.run([&]() -> Result<void> {
        auto nftables = Nftables::open();
        if (!nftables) return tl::unexpected(std::move(nftables.error()));
        const auto record = AppliedRecord::open(run_folder_);
        if (!record) return tl::unexpected(record.error());
        const auto found = condition_of(*chains, *nftables, *record);
        if (!found) return tl::unexpected(found.error());
        condition = *found;
        return {};
    });
    if (!judged) return tl::unexpected(std::move(judged.error()));
    return condition;
}

Result<std::string> KernelRuleset::name_on_record() const {
    std::string name;
    auto read = namespace_.run([&]() -> Result<void> {
        const auto record = AppliedRecord::open(run_folder_);
        if (!record) return tl::unexpected(record.error());
        auto applied = record->read();
        if (!applied) return tl::unexpected(std::move(applied.error()));
        if (*applied) name = (*applied)->policy;
        return {};
    });
    if (!read) return tl::unexpected(std::move(read.error()));
    return name;
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
