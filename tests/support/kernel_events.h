// SPDX-License-Identifier: GPL-2.0-or-later
// DESTROY events, as ctnetlink_conntrack_event() writes them.
#pragma once

#include <memory>

#include "conntrack/destroy_events.h"
#include "support/kernel_messages.h"

namespace headgate::testing {

/// A block of DESTROY events, each with the netlink port ID of the process that deleted the flow, or 0.
class EventBlockBuilder {
  public:
    explicit EventBlockBuilder(Timestamp received_at) : block_(std::make_unique<conntrack::EventBlock>(received_at)) {}

    EventBlockBuilder& add(const Flow& flow, std::uint32_t port_id = 0) {
        const auto payload = KernelMessage{flow}.payload();
        nlmsghdr header{};
        header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
        header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
        header.nlmsg_pid = port_id;
        std::vector<std::byte> event(NLMSG_ALIGN(header.nlmsg_len));
        std::memcpy(event.data(), &header, sizeof header);
        std::memcpy(event.data() + sizeof header, payload.data(), payload.size());
        block_->append(event);
        return *this;
    }

    std::unique_ptr<conntrack::EventBlock> build() { return std::move(block_); }

  private:
    std::unique_ptr<conntrack::EventBlock> block_;
};

}  // namespace headgate::testing
