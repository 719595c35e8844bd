// SPDX-License-Identifier: GPL-2.0-or-later
// Rows by look-ups of candidates. The kernel confirms each candidate, or it does not exist.
#pragma once

#include <functional>

#include "headgate/flow.h"

#include "conntrack/dump_stream.h"
#include "conntrack/scan_plan.h"
#include "conntrack/scan_source.h"

namespace headgate::conntrack {

/// Receives what a walk finds, one by one, so that any number of flows takes no memory.
class WalkSink {
  public:
    virtual ~WalkSink() = default;

    [[nodiscard]] virtual Result<void> look_up(const Candidate& candidate) = 0;

    /// A flow that is known in every part, so that conntrack need not be asked. Once in each pass.
    [[nodiscard]] virtual Result<void> pass(const Flow& flow) = 0;
};

/// Called once for each pass.
using CandidateWalk = std::function<Result<Pass>(WalkSink&)>;

/// The candidates that a plan names.
[[nodiscard]] CandidateWalk walk_of(Lookups lookups);

class LookupSource final : public ScanSource {
  public:
    LookupSource(SocketSource open_socket, CandidateWalk walk)
        : open_socket_(std::move(open_socket)), walk_(std::move(walk)) {}

    Result<Pass> read(RowMatcher& rows) override;

  private:
    SocketSource open_socket_;
    CandidateWalk walk_;
};

}  // namespace headgate::conntrack
