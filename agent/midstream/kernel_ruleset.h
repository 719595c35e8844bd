// SPDX-License-Identifier: GPL-2.0-or-later
// The real Ruleset: the nftables table `inet headgate` in one network namespace.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "headgate/ruleset.h"

#include "midstream/nft_table.h"
#include "midstream/policy_state_file.h"
#include "netlink/network_namespace.h"

// The parts of this room: policy_file.h and policy_library.h read policies; ruleset_text.h writes one in nftables'
// language (pure), nftables.h runs such text by libnftables. nft_table.h and nft_messages.h speak netlink where text is
// too slow or too vague: elements of sets, counters, and whether the rules are still those applied
// (policy_state_file.h). policy_change.h replaces a policy (change_text.h); ruleset_watch.h reports
// changes by others.

namespace headgate::midstream {

/// The folder for records of what was applied.
inline constexpr const char* kRunFolder = "/run/headgate";

class KernelRuleset final : public Ruleset {
  public:
    /// `patience`: how long to wait for other processes that change the table; Locked afterwards. Needs CAP_NET_ADMIN
    /// in that namespace; without it, or without nf_tables, apply() and remember() fail, but not open().
    [[nodiscard]] static std::unique_ptr<KernelRuleset> open(
        netlink::NetworkNamespace where, std::filesystem::path run_folder = kRunFolder,
        std::chrono::seconds patience = PolicyStateFile::kPatience);

    Result<std::optional<StreamExceptionPolicy>> in_force() override;
    Result<Application> apply(const StreamExceptionPolicy& policy) override;
    Result<void> remove() override;
    Result<RulesetCondition> condition() override;
    Result<std::vector<PolicyCounter>> counters() override;
    Result<RulesetStatus> status() override;
    Result<Remembered> remember(std::span<const FlowRow> rows, std::optional<std::chrono::seconds> time) override;
    Result<void> forget(std::span<const FlowRow> rows) override;
    Result<void> open_window(Protocol protocol, std::chrono::seconds time) override;

  private:
    KernelRuleset(netlink::NetworkNamespace where, std::filesystem::path run_folder, std::chrono::seconds patience)
        : namespace_(std::move(where)), run_folder_(std::move(run_folder)), patience_(patience) {}

    /// The table, opened on first use.
    [[nodiscard]] Result<NftTable*> table();
    [[nodiscard]] Result<PolicyStateFile> record() const;
    [[nodiscard]] Result<std::optional<std::uint32_t>> set_size(NftTable& table);
    using SetsChange = std::function<Result<void>(NftTable& table, std::uint32_t size)>;
    [[nodiscard]] tl::unexpected<Error> why_nothing_remembers();
    [[nodiscard]] Result<void> with_sets(const SetsChange& change);

    netlink::NetworkNamespace namespace_;
    std::filesystem::path run_folder_;
    std::chrono::seconds patience_;
    std::optional<NftTable> table_;
    std::optional<std::uint32_t> set_size_;  ///< of the sets in which flows were last remembered
};

}  // namespace headgate::midstream
