// SPDX-License-Identifier: GPL-2.0-or-later
// One pass of a walk over the hash.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "headgate/flow_query.h"
#include "headgate/result.h"

#include "conntrack/lookup_source.h"
#include "conntrack/walk/table_place.h"
#include "conntrack/walk/walk_programs.h"

namespace headgate::conntrack {

class TableWalk {
  public:
    /// All references must outlive the walk.
    TableWalk(WalkPrograms& programs, const ScannedTable& table, const FlowQuery& query, const Moment& moment,
              const CandidateSink& look_up)
        : programs_(programs), table_(table), query_(query), moment_(moment), look_up_(look_up) {}

    /// Passes on each candidate. Errors say why the table cannot be walked: Damaged if the programs report flows that
    /// conntrack does not have.
    [[nodiscard]] Result<Pass> run();

    /// The error of the candidates' receiver, which ended the walk.
    [[nodiscard]] const std::optional<Error>& refusal() const noexcept { return refusal_; }

  private:
    struct Sample {
        Flow flow;
        bool is_candidate = false;
    };

    [[nodiscard]] Result<void> prepare();
    [[nodiscard]] Result<void> take(const walk_answer& answer);
    [[nodiscard]] Result<Pass> recover(const walk_answer& answer);
    [[nodiscard]] Result<void> check_share() const;
    [[nodiscard]] Result<void> check_samples();
    [[nodiscard]] Result<void> pass_on();

    WalkPrograms& programs_;
    const ScannedTable& table_;
    const FlowQuery& query_;
    const Moment& moment_;
    const CandidateSink& look_up_;
    std::optional<Error> refusal_;

    std::unique_ptr<walk_request> request_ = std::make_unique<walk_request>();
    std::vector<walk_row> rows_;
    std::uint64_t entries_ = 0;     ///< walked so far
    std::uint64_t candidates_ = 0;  ///< among them
    std::vector<Candidate> held_;   ///< not passed on yet
    std::vector<Sample> samples_;
    bool is_checked_ = false;  ///< the samples
};

}  // namespace headgate::conntrack
