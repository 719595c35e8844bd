// SPDX-License-Identifier: GPL-2.0-or-later
// Records in AWS Network Firewall's format: a `netflow` event per direction, in an envelope (docs/flow-log.md).
#pragma once

#include <memory>
#include <string_view>

#include "flowlog/community_id.h"
#include "flowlog/record_format.h"
#include "flowlog/record_text.h"

namespace headgate::flowlog {

class AwsFormat final : public RecordFormat {
  public:
    void append(LineBlock& block, const EndedFlow& ended) override;
    void append(LineBlock& block, const LostFlows& lost) override;

  private:
    struct Direction;

    /// `{"firewall_name":"edge","availability_zone":"a","event_timestamp":"1755003903","event":{`
    void append_envelope(LineText& out, const std::shared_ptr<const Endpoint>& endpoint, Timestamp time);
    void append(LineBlock& block, const EndedFlow& ended, const Direction& direction, std::string_view community);
    void append_line(LineText& out, const EndedFlow& ended, const Direction& direction, std::string_view community);

    CommunityId community_id_;
    LifeText life_;
    Provenance provenance_;
    std::shared_ptr<const Endpoint> endpoint_;
    Buffer origin_;  ///< the envelope up to the time, cached for `endpoint_`
};

}  // namespace headgate::flowlog
