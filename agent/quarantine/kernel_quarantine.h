// SPDX-License-Identifier: GPL-2.0-or-later
// The real Quarantine: the nftables table `inet headgate_quarantine` in one network namespace.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "headgate/quarantine.h"

#include "midstream/nft_table.h"
#include "netlink/network_namespace.h"
#include "quarantine/quarantine_state.h"

// The parts of this room: quarantine_rules.h checks what is asked for; quarantine_state.h is the record of what is to
// be in force; quarantine_text.h writes the table in nftables' language.

namespace headgate::quarantine {

class KernelQuarantine final : public Quarantine {
  public:
    /// `run_folder` is that of midstream::KernelRuleset. `patience`: how long to wait for other processes that change
    /// the quarantine; Locked afterwards. Needs CAP_NET_ADMIN in that namespace, but not for open().
    [[nodiscard]] static std::unique_ptr<KernelQuarantine> open(netlink::NetworkNamespace where,
                                                                std::filesystem::path run_folder,
                                                                std::chrono::seconds patience);

    Result<std::vector<QuarantineEntry>> entries() override;
    Result<void> add(std::span<const QuarantineEntry> entries) override;
    Result<void> extend(std::span<const Prefix> prefixes, std::chrono::seconds left) override;
    Result<void> remove(std::span<const Prefix> prefixes) override;
    Result<Restoration> restore() override;

  private:
    KernelQuarantine(netlink::NetworkNamespace where, std::filesystem::path run_folder, std::chrono::seconds patience)
        : namespace_(std::move(where)), run_folder_(std::move(run_folder)), patience_(patience) {}

    /// Changes the state, and returns commands that change the table likewise.
    using Change = std::function<Result<std::string>(QuarantineState& state, std::chrono::nanoseconds now)>;

    /// The table, opened on first use.
    [[nodiscard]] Result<midstream::NftTable*> table();
    [[nodiscard]] Result<QuarantineFile> file() const;
    [[nodiscard]] Result<QuarantineState> read(const QuarantineFile& file);
    [[nodiscard]] Result<bool> are_rules_changed(const QuarantineState& state);
    [[nodiscard]] Result<bool> is_intact(const QuarantineState& state);
    [[nodiscard]] Result<void> change(const Change& change);
    [[nodiscard]] Result<void> replace(const QuarantineFile& file, QuarantineState state);
    [[nodiscard]] Result<void> put_in_force(const QuarantineFile& file, QuarantineState state,
                                            const std::string& commands);
    [[nodiscard]] Result<void> run(const std::string& commands) const;

    netlink::NetworkNamespace namespace_;
    std::filesystem::path run_folder_;
    std::chrono::seconds patience_;
    std::optional<midstream::NftTable> table_;
};

}  // namespace headgate::quarantine
