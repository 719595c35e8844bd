// From conntrack messages to the rows of a scan: match on the raw attributes, decode what matches, tell each once.
#pragma once

#include <cstdint>
#include <vector>

#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "conntrack/emitted_rows.h"
#include "netlink/attributes.h"

namespace headgate::conntrack {

class RowMatcher {
  public:
    RowMatcher(const FlowQuery& query, const Moment& moment, ScanListener& listener, std::size_t repetition_window);

    /// One message about one flow.
    [[nodiscard]] Result<void> take(netlink::Bytes payload);

    /// Tells the rows that wait for their block to be full.
    [[nodiscard]] Result<void> flush();

    /// The scan begins anew: rows that were told are not told again.
    void restart();

    [[nodiscard]] const ScanReport& report() const noexcept { return report_; }

  private:
    const FlowQuery& query_;
    const Moment& moment_;
    ScanListener& listener_;
    EmittedRows emitted_;
    std::vector<FlowRow> block_;
    ScanReport report_;
};

}  // namespace headgate::conntrack
