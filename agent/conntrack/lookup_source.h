// SPDX-License-Identifier: GPL-2.0-or-later
// Rows by look-ups of candidates. The kernel confirms each candidate, or it does not exist.
#pragma once

#include <functional>

#include "conntrack/ctnetlink_requests.h"
#include "conntrack/dump_stream.h"
#include "conntrack/scan_plan.h"
#include "conntrack/scan_source.h"

namespace headgate::conntrack {

using CandidateSink = std::function<Result<void>(const Candidate&)>;

/// Passes on all candidates, one by one, so that any number of them takes no memory. Called once for each pass.
using CandidateWalk = std::function<Result<Pass>(const CandidateSink&)>;

/// The candidates that a plan names.
[[nodiscard]] CandidateWalk walk_of(Lookups lookups);

class LookupSource final : public ScanSource {
  public:
    LookupSource(SocketSource open_socket, CandidateWalk walk);

    Result<Pass> read(RowMatcher& rows) override;

  private:
    [[nodiscard]] Result<void> look_up(netlink::Socket& socket, RowMatcher& rows);

    SocketSource open_socket_;
    CandidateWalk walk_;
    RequestBatch batch_;
    std::vector<std::byte> buffer_;
};

}  // namespace headgate::conntrack
