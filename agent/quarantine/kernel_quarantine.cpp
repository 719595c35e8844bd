// SPDX-License-Identifier: GPL-2.0-or-later
#include "quarantine/kernel_quarantine.h"

#include <algorithm>
#include <map>
#include <utility>

#include "headgate/clock.h"

#include "midstream/nftables.h"
#include "quarantine/quarantine_text.h"

namespace headgate::quarantine {
namespace {

using midstream::CountedElement;
using midstream::NftTable;

using Key = decltype(midstream::SetElement::key);

/// The key of the element that begins the prefix.
Key key_of(const Prefix& prefix) {
    Key key{};
    std::ranges::copy(std::as_bytes(std::span{prefix.address.octets}), key.begin());
    return key;
}

Result<std::map<Key, CountedElement>> read_map(NftTable& table, const std::string& name) {
    ASSIGN_OR_RETURN(const auto elements, table.counted_elements(name));
    std::map<Key, CountedElement> by_key;
    for (const auto& each : elements)
        by_key.emplace(each.element.key, each);
    return by_key;
}

/// Reads the counters of all entries, and which of them the kernel has. What another program removed has lost what its
/// element counted.
Result<void> read_kernel(NftTable& table, std::vector<KeptEntry>& entries) {
    std::map<std::string, std::map<Key, CountedElement>> maps;
    for (auto& entry : entries) {
        const auto name = map_name(entry.prefix.address.family, entry.layer);
        if (!maps.contains(name)) {
            ASSIGN_OR_RETURN(maps[name], read_map(table, name));
        }
        const auto found = maps[name].find(key_of(entry.prefix));
        entry.is_in_force = found != maps[name].end();
        const auto counted = entry.is_in_force ? found->second : CountedElement{};
        entry.packets = entry.packets_before + counted.packets;
        entry.bytes = entry.bytes_before + counted.bytes;
    }
    return {};
}

bool are_in_force(const QuarantineState& state) {
    return std::ranges::all_of(state.entries, &KeptEntry::is_in_force);
}

Result<std::vector<KeptEntry>::iterator> find_entry(QuarantineState& state, const Prefix& prefix) {
    const auto found = std::ranges::find(state.entries, prefix, &KeptEntry::prefix);
    if (found == state.entries.end()) return not_found("{} is not in quarantine", to_string(prefix));
    return found;
}

/// The entries of these prefixes, each once.
Result<std::vector<KeptEntry>> entries_of(QuarantineState& state, std::span<const Prefix> prefixes) {
    std::vector<KeptEntry> entries;
    for (const auto& prefix : prefixes) {
        ASSIGN_OR_RETURN(const auto found, find_entry(state, prefix));
        if (std::ranges::find(entries, prefix, &KeptEntry::prefix) == entries.end()) entries.push_back(*found);
    }
    return entries;
}

}  // namespace

std::unique_ptr<KernelQuarantine> KernelQuarantine::open(netlink::NetworkNamespace where,
                                                         std::filesystem::path run_folder,
                                                         std::chrono::seconds patience) {
    return std::unique_ptr<KernelQuarantine>{new KernelQuarantine{std::move(where), std::move(run_folder), patience}};
}

Result<NftTable*> KernelQuarantine::table() {
    if (table_) return &*table_;
    RETURN_IF_ERROR(namespace_.run([&]() -> Result<void> {
        ASSIGN_OR_RETURN(auto table, NftTable::open(kTable));
        table_ = std::move(table);
        return {};
    }));
    return &*table_;
}

Result<QuarantineFile> KernelQuarantine::file() const {
    return namespace_.cookie().map([&](std::uint64_t cookie) { return QuarantineFile{run_folder_, cookie}; });
}

Result<QuarantineState> KernelQuarantine::read(const QuarantineFile& file) {
    ASSIGN_OR_RETURN(auto state, file.read());
    pass_time(state, kSystemClock.up());
    if (state.entries.empty()) return state;
    ASSIGN_OR_RETURN(const auto table, this->table());
    RETURN_IF_ERROR(read_kernel(*table, state.entries));
    return state;
}

Result<std::vector<QuarantineEntry>> KernelQuarantine::entries() {
    ASSIGN_OR_RETURN(const auto file, this->file());
    ASSIGN_OR_RETURN(auto state, read(file));
    ASSIGN_OR_RETURN(const auto changed, are_rules_changed(state));
    for (auto& entry : state.entries)
        entry.is_in_force = entry.is_in_force && !changed;
    return std::vector<QuarantineEntry>{state.entries.begin(), state.entries.end()};
}

Result<void> KernelQuarantine::add(std::span<const QuarantineEntry> entries) {
    return change([&](QuarantineState& state, std::chrono::nanoseconds now) -> Result<std::string> {
        const auto first = state.entries.size();
        for (const auto& entry : entries) {
            if (std::ranges::find(state.entries, entry.prefix, &KeptEntry::prefix) != state.entries.end()) {
                return make_error(ErrorKind::Exists, "{} is in quarantine already", to_string(entry.prefix));
            }
            KeptEntry kept{entry};
            kept.until = now + entry.left;
            kept.layer = free_layer(state.entries, entry.prefix);
            state.entries.push_back(std::move(kept));
        }
        std::string commands;
        for (; state.layers < layers_of(state.entries); ++state.layers)
            commands += layer_text(state.layers);
        return commands + addition_text(std::span{state.entries}.subspan(first), now);
    });
}

Result<void> KernelQuarantine::extend(std::span<const Prefix> prefixes, std::chrono::seconds left) {
    return change([&](QuarantineState& state, std::chrono::nanoseconds now) -> Result<std::string> {
        ASSIGN_OR_RETURN(auto extended, entries_of(state, prefixes));
        for (auto& entry : extended) {
            entry.until = now + left;
            entry.begins_anew();
            *find_entry(state, entry.prefix).value() = entry;
        }
        return removal_text(extended) + addition_text(extended, now);
    });
}

Result<void> KernelQuarantine::remove(std::span<const Prefix> prefixes) {
    return change([&](QuarantineState& state, std::chrono::nanoseconds /*now*/) -> Result<std::string> {
        ASSIGN_OR_RETURN(const auto removed, entries_of(state, prefixes));
        std::erase_if(state.entries, [&](const KeptEntry& entry) {
            return std::ranges::find(removed, entry.prefix, &KeptEntry::prefix) != removed.end();
        });
        return removal_text(removed);
    });
}

Result<Restoration> KernelQuarantine::restore() {
    ASSIGN_OR_RETURN(const auto file, this->file());
    ASSIGN_OR_RETURN(const auto recorded, file.read());
    if (recorded.entries.empty()) return Restoration::NotNeeded;
    ASSIGN_OR_RETURN(const auto alone, file.lock(patience_));
    ASSIGN_OR_RETURN(const auto state, read(file));
    ASSIGN_OR_RETURN(const auto intact, is_intact(state));
    if (intact && !state.entries.empty()) return Restoration::NotNeeded;
    RETURN_IF_ERROR(replace(file, state));
    return state.entries.empty() ? Restoration::NotNeeded : Restoration::Done;
}

/// Whether the kernel has exactly the rules and entries that were put there.
Result<bool> KernelQuarantine::is_intact(const QuarantineState& state) {
    if (state.fingerprint.empty() || !are_in_force(state)) return false;
    return are_rules_changed(state).map([](bool changed) { return !changed; });
}

/// By another program.
Result<bool> KernelQuarantine::are_rules_changed(const QuarantineState& state) {
    if (state.fingerprint.empty()) return false;
    ASSIGN_OR_RETURN(const auto table, this->table());
    return table->fingerprint().map([&](const std::string& now) { return now != state.fingerprint; });
}

/// What another program has changed is replaced as a whole.
Result<void> KernelQuarantine::change(const Change& change) {
    ASSIGN_OR_RETURN(const auto file, this->file());
    ASSIGN_OR_RETURN(const auto alone, file.lock(patience_));
    ASSIGN_OR_RETURN(const auto before, read(file));
    auto state = before;
    ASSIGN_OR_RETURN(const auto commands, change(state, kSystemClock.up()));
    ASSIGN_OR_RETURN(const auto intact, is_intact(before));
    auto changed = intact && !state.entries.empty() ? put_in_force(file, std::move(state), commands)
                                                    : replace(file, std::move(state));
    if (!changed) static_cast<void>(file.write(before));
    return changed;
}

Result<void> KernelQuarantine::replace(const QuarantineFile& file, QuarantineState state) {
    state.layers = layers_of(state.entries);
    for (auto& entry : state.entries)
        entry.begins_anew();
    const auto commands = state.entries.empty() ? deletion_text() : table_text(state.entries, kSystemClock.up());
    return put_in_force(file, std::move(state), commands);
}

/// The state is written without a fingerprint first: where a kill cuts the change off, the table is replaced next time.
Result<void> KernelQuarantine::put_in_force(const QuarantineFile& file, QuarantineState state,
                                            const std::string& commands) {
    ASSIGN_OR_RETURN(const auto table, this->table());
    state.fingerprint.clear();
    RETURN_IF_ERROR(file.write(state));
    RETURN_IF_ERROR(run(commands));
    if (state.entries.empty()) return {};
    ASSIGN_OR_RETURN(state.fingerprint, table->fingerprint());
    return file.write(state);
}

Result<void> KernelQuarantine::run(const std::string& commands) const {
    return namespace_.run([&]() -> Result<void> {
        ASSIGN_OR_RETURN(auto nftables, midstream::Nftables::open());
        return nftables.run(commands);
    });
}

}  // namespace headgate::quarantine
