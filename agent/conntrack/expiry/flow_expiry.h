// SPDX-License-Identifier: GPL-2.0-or-later
// Ends flows by letting them expire, by a program in the kernel (bpf/expire.bpf.c): several times as fast as a look-up
// and a deletion. No flow can be replaced between the look at its identity and its end. For flows of TCP and UDP with a
// start time, which identifies them, that are as they were found; all others, and whatever fails, are left to
// FlowDeleter.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "conntrack/bpf/programs.h"
#include "conntrack/expiry/expired_flows.h"
#include "netlink/network_namespace.h"

namespace headgate::conntrack {

/// How many flows, of those that are ended at once, the program is loaded for: for a command, which loads it for one
/// flush, and for the agent, which loads it once.
inline constexpr std::size_t kCommandExpiresFrom = 256;
inline constexpr std::size_t kAgentExpiresFrom = 1;

/// Of a process. The program is loaded when it is needed, and its first results are compared with what conntrack
/// reports; after a fault it is not used any more. Thread-safe.
class FlowExpiry {
  public:
    /// `expired`: what this process's listeners to the ends of flows ask; null: it has none, and lets no flow expire
    /// where other programs listen, which would hear that it ended by itself. `report` receives one line after a fault.
    FlowExpiry(std::size_t from, std::shared_ptr<ExpiredFlows> expired,
               std::function<void(std::string_view)> report = {})
        : from_(from), expired_(std::move(expired)), report_(std::move(report)) {}
    ~FlowExpiry();
    FlowExpiry(const FlowExpiry&) = delete;
    FlowExpiry& operator=(const FlowExpiry&) = delete;

    /// For this process's listeners.
    [[nodiscard]] const std::shared_ptr<ExpiredFlows>& expired() const noexcept { return expired_; }

    /// Ends those of the rows that it can, if they are confirmed; and finds some to be gone. The others get no outcome.
    void expire(const netlink::NetworkNamespace& where, std::span<FlowRow> rows, const Confirmation& confirm);

  private:
    [[nodiscard]] bool may_expire(const netlink::NetworkNamespace& where, std::size_t rows) const;
    [[nodiscard]] Result<void> expire_all(std::span<FlowRow* const> rows);
    [[nodiscard]] Result<void> load_once();
    [[nodiscard]] Result<void> expire_checked(std::span<FlowRow* const> rows);
    [[nodiscard]] Result<void> expire_some(std::span<FlowRow* const> rows);
    void give_up(const Error& fault);

    const std::size_t from_;
    const std::shared_ptr<ExpiredFlows> expired_;
    const std::function<void(std::string_view)> report_;
    std::mutex mutex_;
    expire_program program_{};
    bool is_checked_ = false;
    std::optional<Error> fault_;
};

}  // namespace headgate::conntrack
