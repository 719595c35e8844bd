// SPDX-License-Identifier: GPL-2.0-or-later
// Messages to nf_tables that take effect together, or not at all.
#pragma once

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "headgate/result.h"

#include "netlink/message_writer.h"
#include "rematch/expressions.h"

namespace headgate::rematch {

/// One transaction of nf_tables.
class NftBatch {
  public:
    NftBatch() { mark(NFNL_MSG_BATCH_BEGIN); }

    /// `what`: for the error, if the kernel refuses it.
    template <typename Body>
    void add(int message, std::uint16_t flags, std::uint8_t family, std::string what, Body body) {
        parts_.push_back(std::move(what));
        writer_.begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags,
                      static_cast<std::uint32_t>(parts_.size()));
        writer_.netfilter(family);
        body(writer_);
        writer_.end();
    }

    [[nodiscard]] Result<void> commit();

  private:
    void mark(int message);

    netlink::MessageWriter writer_;
    std::vector<std::string> parts_;
};

/// Copies attributes as they were dumped, but for some types.
void copy_without(netlink::MessageWriter& writer, netlink::Bytes attributes, std::initializer_list<int> without);

/// As a rule's NFTA_RULE_EXPRESSIONS.
void write_expressions(netlink::MessageWriter& writer, const std::vector<Expression>& expressions);

}  // namespace headgate::rematch
