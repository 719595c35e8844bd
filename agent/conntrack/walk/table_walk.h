// SPDX-License-Identifier: GPL-2.0-or-later
// One pass of a walk over the hash.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "headgate/flow_query.h"
#include "headgate/flow_table.h"
#include "headgate/result.h"

#include "conntrack/lookup_source.h"
#include "conntrack/walk/id_seed.h"
#include "conntrack/walk/table_place.h"
#include "conntrack/walk/walk_programs.h"
#include "conntrack/walk/walk_row.h"

namespace headgate::conntrack {

class TableWalk {
  public:
    /// All references must outlive the walk.
    TableWalk(WalkPrograms& programs, IdSeed& seed, const ScannedTable& table, const FlowQuery& query,
              const Moment& moment, ScanListener& listener, WalkSink& sink)
        : programs_(programs),
          seed_(seed),
          table_(table),
          query_(query),
          moment_(moment),
          listener_(listener),
          sink_(sink) {}

    /// Passes on each flow that the query may match. Errors say why the table cannot be walked: Damaged if the programs
    /// report flows that conntrack does not have.
    [[nodiscard]] Result<Pass> run();

    /// The error of the sink, which ended the walk.
    [[nodiscard]] const std::optional<Error>& refusal() const noexcept { return refusal_; }

  private:
    [[nodiscard]] Result<void> prepare();
    [[nodiscard]] Result<void> accept(const walk_answer& answer, std::size_t rows_before);
    [[nodiscard]] Result<Pass> recover(const walk_answer& answer);
    [[nodiscard]] Result<void> check_share() const;
    [[nodiscard]] Result<void> check_samples();
    [[nodiscard]] Result<std::vector<ReportedRow>> reported_rows() const;
    [[nodiscard]] Result<void> trust_rows(std::span<const ReportedRow> rows);
    [[nodiscard]] bool is_trusted(const walk_row& row) const { return trusts_rows_ && is_whole(row); }
    [[nodiscard]] Result<void> pass_on();
    [[nodiscard]] Result<void> pass_on(const walk_row& row);

    WalkPrograms& programs_;
    IdSeed& seed_;
    const ScannedTable& table_;
    const FlowQuery& query_;
    const Moment& moment_;
    ScanListener& listener_;
    WalkSink& sink_;
    std::optional<Error> refusal_;

    std::unique_ptr<walk_request> request_ = std::make_unique<walk_request>();
    std::uint64_t entries_ = 0;   ///< walked so far
    std::vector<walk_row> rows_;  ///< not passed on yet
    std::vector<walk_row> samples_;
    bool is_checked_ = false;  ///< the samples
    bool trusts_rows_ = false;
    RowUnits units_;
};

}  // namespace headgate::conntrack
