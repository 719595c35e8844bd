// SPDX-License-Identifier: GPL-2.0-or-later
// Netlink messages in a received buffer, with bounds checks.
#pragma once

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstring>

#include "netlink/attributes.h"

namespace headgate::netlink {

struct Message {
    nlmsghdr header{};
    Bytes payload;

    /// The error of an NLMSG_ERROR or NLMSG_DONE as a positive errno, or 0. Both begin with an int: 0, or a negative
    /// errno (struct nlmsgerr; af_netlink.c, netlink_dump).
    [[nodiscard]] int error() const noexcept {
        int code = 0;
        if (payload.size() >= sizeof code) std::memcpy(&code, payload.data(), sizeof code);
        return code < 0 && code > -4096 ? -code : 0;
    }

    /// Whether this is the given message of the subsystem (NFNL_SUBSYS_...).
    [[nodiscard]] bool is(int subsystem, int message) const noexcept {
        return header.nlmsg_type == ((subsystem << 8) | message);
    }
};

class MessageReader {
  public:
    explicit MessageReader(Bytes bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool next(Message& message) noexcept {
        const Bytes item = take_item(rest_, message.header);
        if (item.empty()) return false;
        message.payload = item.subspan(sizeof(nlmsghdr));
        return true;
    }

    /// After next() returned false: whether everything was read, rather than cut short by an invalid length.
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  private:
    Bytes rest_;
};

}  // namespace headgate::netlink
