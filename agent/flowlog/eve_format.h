// SPDX-License-Identifier: GPL-2.0-or-later
// Records in Suricata's EVE format: one `flow` event per flow (docs/flow-log.md).
#pragma once

#include "flowlog/community_id.h"
#include "flowlog/record_format.h"
#include "flowlog/record_text.h"

namespace headgate::flowlog {

class EveFormat final : public RecordFormat {
  public:
    void append(LineBlock& block, const EndedFlow& ended) override;
    void append(LineBlock& block, const LostFlows& lost) override;

  private:
    void append_line(LineText& out, const EndedFlow& ended);

    CommunityId community_id_;
    LifeText life_;
    Provenance provenance_;
};

}  // namespace headgate::flowlog
