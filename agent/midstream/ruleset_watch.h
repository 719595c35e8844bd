// SPDX-License-Identifier: GPL-2.0-or-later
// Detects possible changes of headgate's tables: `inet headgate`, and those whose names begin with
// `headgate_`. Costs nothing as long as no ruleset changes.
#pragma once

#include <cstdint>
#include <utility>

#include "headgate/result.h"

#include "netlink/messages.h"
#include "netlink/network_namespace.h"
#include "netlink/socket.h"

namespace headgate::midstream {

/// Not thread-safe.
class RulesetWatch {
  public:
    /// Watches that network namespace from now on. Neither the table nor nf_tables needs to exist yet.
    [[nodiscard]] static Result<RulesetWatch> open(const netlink::NetworkNamespace& where);

    /// For poll(2): readable when any ruleset of the namespace has changed.
    [[nodiscard]] int fd() const noexcept { return socket_.fd(); }

    /// Processes all queued notifications, without waiting. True if any of them may be about headgate's tables,
    /// their chains or rules, or if any were lost. Changes by headgate itself are reported like any others.
    [[nodiscard]] Result<bool> changed();

    /// How many times notifications were lost since the last call. The kernel does not report how many each time
    /// (af_netlink.c, netlink_overrun: ENOBUFS once until the reader has caught up).
    [[nodiscard]] std::uint64_t take_losses() noexcept { return std::exchange(losses_, 0); }

  private:
    explicit RulesetWatch(netlink::Socket socket) noexcept : socket_(std::move(socket)) {}

    netlink::Socket socket_;
    std::uint64_t losses_ = 0;
};

/// Whether a datagram of notifications reports that such a table, or a chain or rule in it, was added,
/// removed or changed. Elements of sets and values of counters are ignored. True for a datagram that can't be parsed to
/// its end.
[[nodiscard]] bool reports_change(netlink::Bytes datagram) noexcept;

}  // namespace headgate::midstream
