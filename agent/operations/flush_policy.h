// SPDX-License-Identifier: GPL-2.0-or-later
// The stream exception policy during one flush: which is in force, whether it suffices, and remembering flows before
// they are ended.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "headgate/clock.h"
#include "headgate/flow_operation.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"
#include "headgate/ruleset.h"

#include "operations/operation_request.h"
#include "operations/operation_work.h"

namespace headgate::operations {

class FlushPolicy {
  public:
    FlushPolicy(const WorkPlace& place, const OperationRequest& request)
        : ruleset_(place.ruleset), table_(place.table), clock_(place.clock), request_(request) {}

    /// Reads what is in force. Refuses if it does not meet the request. Changes nothing.
    [[nodiscard]] Result<void> inspect();

    /// The name of the policy that is in force now, or `none`.
    [[nodiscard]] std::string name_in_force() const { return in_force_ ? in_force_->name : "none"; }

    /// The same while flows are ended.
    [[nodiscard]] std::string name() const { return policy_ ? policy_->name : "none"; }

    /// Counts a flow that will be ended. To be called before enforce().
    void count(const Flow& flow) { ++flows_[{flow.original.protocol, flow.original.source.family}]; }

    /// Applies the wanted policy. Refuses if what is in force is no longer what inspect() found. NotNeeded if nothing
    /// was changed.
    [[nodiscard]] Result<Application> enforce();

    /// Remembers flows, so that later packets are recognized. After enforce(), before the first flow is ended.
    [[nodiscard]] Result<void> remember(std::span<const FlowRow> rows);

    /// Forgets remembered flows that were not ended for any reason: their packets must not be caught.
    void forget(std::span<const FlowRow> rows);

    /// After the last flow: checks whether the policy is still in force, and tells until when it blocks the flows.
    void conclude(FlowOperation& operation);

    /// Warnings about the fate of the flows' packets.
    [[nodiscard]] std::vector<std::string> warnings() const;

  private:
    [[nodiscard]] Result<void> judge_wanted() const;
    [[nodiscard]] Result<void> judge_number() const;
    [[nodiscard]] bool remembers() const { return policy_ && policy_->scope == MidstreamScope::Flushed; }
    [[nodiscard]] bool too_many(Protocol protocol) const;
    [[nodiscard]] std::set<Protocol> counted_protocols() const;
    [[nodiscard]] bool is_picked_up(Protocol protocol) const;
    [[nodiscard]] std::string fate(const std::set<Protocol>& protocols) const;
    [[nodiscard]] Result<Remembered> remember_all(std::span<const FlowRow> rows);
    void note_forgotten(Timestamp when);
    [[nodiscard]] Result<void> remember_what_fits(std::span<const FlowRow> rows);
    [[nodiscard]] Result<void> remember_or_open_windows(const std::vector<FlowRow>& rows);
    [[nodiscard]] Result<void> open_window(Protocol protocol);
    [[nodiscard]] std::string return_warning(const std::set<Protocol>& protocols) const;
    [[nodiscard]] bool blocks() const;  ///< whether the policy in force catches packets of the flushed flows

    Ruleset& ruleset_;
    FlowTable& table_;
    const Clock& clock_;
    const OperationRequest& request_;
    std::optional<StreamExceptionPolicy> in_force_;
    std::optional<StreamExceptionPolicy> policy_;  ///< in force while flows are ended
    RulesetCondition condition_ = RulesetCondition::NothingApplied;
    bool tcp_loose_ = true;
    std::map<std::pair<Protocol, Family>, std::uint64_t> flows_;
    std::set<Protocol> windows_;
    bool full_ = false;
    std::optional<Timestamp> first_forgotten_, last_forgotten_;  ///< of the flows, when the policy will forget them
    bool fell_ = false;  ///< removed or changed by another process while flows were ended
    std::uint64_t not_remembered_ = 0;
    std::uint64_t not_forgotten_ = 0;
};

}  // namespace headgate::operations
