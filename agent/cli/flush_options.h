// SPDX-License-Identifier: GPL-2.0-or-later
// What commands that flush have in common: the options about how flows are ended, and the question before it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "headgate/result.h"

#include "cli/arguments.h"
#include "cli/gateway_arguments.h"
#include "cli/operation_follower.h"
#include "config/configuration.h"
#include "gateway/gateway.h"

namespace headgate::cli {

struct FlushOptions {
    std::optional<std::string> maximum_flows, stream_exception_policy;
    bool require_policy = false;
    bool dry_run = false;
    bool include_protected = false;
    bool yes = false;

    void add_to(OptionGroup& group);

    /// Whether any of them is given.
    [[nodiscard]] bool given() const;

    /// Whether the user is to be asked before flows are ended.
    [[nodiscard]] bool asks() const { return !yes && !dry_run; }

    /// Adds the options to a request, and what must not be flushed: what the configuration protects, and the caller's
    /// SSH sessions.
    [[nodiscard]] Result<void> complete(gateway::OperationRequest& request,
                                        const config::Configuration& configuration) const;
};

/// The agent, or a gateway in this process: files of policies and captures are read by this process, not by an agent.
[[nodiscard]] Result<std::unique_ptr<gateway::Gateway>> open_for_flush(const GatewayArguments& arguments,
                                                                       const gateway::OperationRequest& request);

/// Asks for confirmation after a dry run, before any change. The flush then ends exactly the flows of the dry run; or,
/// if the user does not agree, none, and the history shows why.
[[nodiscard]] Result<gateway::OperationRequest> confirmed(gateway::FlowOperations& operations,
                                                          gateway::OperationRequest request, Explain explain);

}  // namespace headgate::cli
