// Tells when somebody may have changed the table `inet headgate`. Costs nothing as long as no ruleset changes.
#pragma once

#include <cstdint>
#include <utility>

#include "headgate/result.h"

#include "netlink/attributes.h"
#include "netlink/network_namespace.h"
#include "netlink/socket.h"

namespace headgate::midstream {

/// Not thread-safe.
class RulesetWatch {
  public:
    /// From now on, in that network namespace. Nothing needs to be there yet, neither table nor nf_tables.
    [[nodiscard]] static Result<RulesetWatch> open(const netlink::NetworkNamespace& where);

    /// For poll(2): readable when any ruleset of the namespace has changed.
    [[nodiscard]] int fd() const noexcept { return socket_.fd(); }

    /// Takes all that was told, without waiting. True when some of it may be about our table, its chains or rules, or
    /// when some of it was lost. What headgate itself applies is told like anybody else's change.
    [[nodiscard]] Result<bool> changed();

    /// How often notifications were lost since this was last asked. How many each time, the kernel does not tell
    /// (af_netlink.c, netlink_overrun: ENOBUFS once until the reader has caught up).
    [[nodiscard]] std::uint64_t take_losses() noexcept { return std::exchange(losses_, 0); }

  private:
    explicit RulesetWatch(netlink::Socket socket) noexcept : socket_(std::move(socket)) {}

    netlink::Socket socket_;
    std::uint64_t losses_ = 0;
};

/// Whether a datagram of notifications tells that the table `inet headgate`, a chain or a rule in it came, went or is
/// another one now. Elements of sets and values of counters come and go: they are no change. A datagram that can't be
/// read to its end may hide one.
[[nodiscard]] bool tells_of_change(netlink::Bytes datagram) noexcept;

}  // namespace headgate::midstream
