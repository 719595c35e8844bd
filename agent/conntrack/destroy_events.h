// SPDX-License-Identifier: GPL-2.0-or-later
// DESTROY events of one network namespace: flows that ended (NFNLGRP_CONNTRACK_DESTROY).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "netlink/messages.h"
#include "netlink/network_namespace.h"
#include "netlink/socket.h"

namespace headgate::conntrack {

/// Which ends of flows are received. Those of headgate's own flushes never are: the flush itself has more information.
struct WantedEnds {
    bool by_kernel = true;  ///< nlmsg_pid 0: timeout, end of the protocol, full table
    bool by_others = true;  ///< deleted by programs other than headgate

    friend bool operator==(const WantedEnds&, const WantedEnds&) = default;
};

/// Whether any program listens to the ends of flows there, or may listen: the kernel does not say.
[[nodiscard]] bool are_ends_heard(const netlink::NetworkNamespace& where);

/// Received events, copied out of the socket to free its buffer.
class EventBlock {
  public:
    static constexpr std::size_t kCapacity = 64 * 1024;

    explicit EventBlock(Timestamp received_at) : received_at_(received_at) {}

    /// `event`: one message with its header.
    void append(netlink::Bytes event) {
        bytes_.insert(bytes_.end(), event.begin(), event.end());
        ++count_;
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }
    /// Memory in bytes, including unused capacity.
    [[nodiscard]] std::size_t memory() const noexcept { return sizeof *this + bytes_.capacity(); }
    [[nodiscard]] Timestamp received_at() const noexcept { return received_at_; }

    /// The messages, in order of arrival.
    [[nodiscard]] netlink::MessageReader messages() const noexcept { return netlink::MessageReader{bytes_}; }

  private:
    std::vector<std::byte> bytes_;
    std::size_t count_ = 0;
    Timestamp received_at_;
};

/// Not thread-safe.
class DestroyEvents {
  public:
    /// Subscribes to events. Needs CAP_NET_ADMIN.
    [[nodiscard]] static Result<DestroyEvents> open(const netlink::NetworkNamespace& where, WantedEnds wanted);

    ~DestroyEvents();
    DestroyEvents(DestroyEvents&& other) noexcept;
    DestroyEvents& operator=(DestroyEvents&& other) noexcept;

    /// For poll(2).
    [[nodiscard]] int fd() const noexcept { return socket_.fd(); }

    /// Changes which events are received, from the next one on.
    [[nodiscard]] Result<void> want(WantedEnds wanted);

    /// Ends the subscription; events already queued can still be received.
    void stop_listening() noexcept;

    /// The queued events, as many as fit in a block; null if none are queued.
    [[nodiscard]] Result<std::unique_ptr<EventBlock>> receive();

    /// Exact number of events lost since the last call: dropped by the kernel for lack of room in the socket (sk_drops,
    /// read by SO_MEMINFO; af_netlink.c, netlink_overrun), or truncated.
    [[nodiscard]] std::uint64_t new_losses();

  private:
    struct Slots;
    DestroyEvents(netlink::Socket socket, std::unique_ptr<Slots> slots);

    netlink::Socket socket_;
    std::unique_ptr<Slots> slots_;
    std::uint32_t drops_counted_ = 0;
};

}  // namespace headgate::conntrack
