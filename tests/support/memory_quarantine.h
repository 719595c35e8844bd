// SPDX-License-Identifier: GPL-2.0-or-later
// An in-memory quarantine that behaves like nftables, as far as Quarantine specifies. Both pass the same conformance
// cases (quarantine_conformance.h).
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "headgate/quarantine.h"

namespace headgate::testing {

class MemoryQuarantine final : public Quarantine {
  public:
    Result<std::vector<QuarantineEntry>> entries() override {
        std::vector<QuarantineEntry> entries;
        for (const auto& each : living()) {
            entries.push_back(each.entry);
            entries.back().left = std::chrono::ceil<std::chrono::seconds>(each.until - now_);
            entries.back().is_in_force = is_in_force_;
        }
        return entries;
    }
    Result<void> add(std::span<const QuarantineEntry> entries) override {
        auto added = living();
        for (const auto& entry : entries) {
            if (find(added, entry.prefix) != added.end()) {
                return make_error(ErrorKind::Exists, "{} is in quarantine already", to_string(entry.prefix));
            }
            added.push_back({entry, now_ + entry.left});
        }
        return put_in_force(std::move(added));
    }
    Result<void> extend(std::span<const Prefix> prefixes, std::chrono::seconds left) override {
        auto extended = living();
        for (const auto& prefix : prefixes) {
            const auto found = find(extended, prefix);
            if (found == extended.end()) return not_there(prefix);
            found->until = now_ + left;
        }
        return put_in_force(std::move(extended));
    }
    Result<void> remove(std::span<const Prefix> prefixes) override {
        auto rest = living();
        for (const auto& prefix : prefixes)
            if (find(rest, prefix) == rest.end()) return not_there(prefix);
        std::erase_if(
            rest, [&](const Timed& each) { return std::ranges::find(prefixes, each.entry.prefix) != prefixes.end(); });
        return put_in_force(std::move(rest));
    }
    Result<Restoration> restore() override {
        const bool is_needed = !is_in_force_ && !living().empty();
        is_in_force_ = true;
        return is_needed ? Restoration::Done : Restoration::NotNeeded;
    }

    void pass(std::chrono::milliseconds time) { now_ += time; }

    /// Simulates `nft flush ruleset`.
    void flush_ruleset() { is_in_force_ = false; }

  private:
    struct Timed {
        QuarantineEntry entry;
        std::chrono::milliseconds until;
    };

    static std::vector<Timed>::iterator find(std::vector<Timed>& in, const Prefix& prefix) {
        return std::ranges::find_if(in, [&](const Timed& each) { return each.entry.prefix == prefix; });
    }
    static tl::unexpected<Error> not_there(const Prefix& prefix) {
        return not_found("{} is not in quarantine", to_string(prefix));
    }
    [[nodiscard]] std::vector<Timed> living() const {
        auto living = entries_;
        std::erase_if(living, [&](const Timed& each) { return each.until <= now_; });
        return living;
    }
    /// Every change also repairs what another program has removed.
    Result<void> put_in_force(std::vector<Timed> entries) {
        entries_ = std::move(entries);
        is_in_force_ = true;
        return {};
    }

    std::vector<Timed> entries_;
    bool is_in_force_ = true;
    std::chrono::milliseconds now_{0};
};

}  // namespace headgate::testing
