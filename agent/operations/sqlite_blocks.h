// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks of packed flows in the database. These throw Poco's exceptions: to be called within Database::run.
#pragma once

#include <Poco/Data/Session.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/operation_store.h"
#include "headgate/result.h"

#include "operations/flow_rows.h"

namespace headgate::operations {

enum class BlockKind : std::uint8_t {
    Told,     ///< flows and, where there are any, their outcomes
    Journal,  ///< flows about to be ended: pending until record_block_outcomes
};

struct StoredBlock : PackedFlows {
    std::uint64_t number = 0;  ///< within the store
};

/// Appends the block, and returns its number.
[[nodiscard]] Result<std::uint64_t> insert_block(Poco::Data::Session& session, const std::string& id, FlowBlock& block,
                                                 BlockKind kind);

[[nodiscard]] Result<void> record_block_outcomes(Poco::Data::Session& session, const std::string& id,
                                                 std::uint64_t block, std::span<const FlowRow> endings);

/// The block with this row; nothing past the last row.
[[nodiscard]] Result<std::optional<StoredBlock>> find_block(Poco::Data::Session& session, const std::string& id,
                                                            std::uint64_t row);

/// The first pending block that begins at or after this row.
[[nodiscard]] Result<std::optional<StoredBlock>> find_pending_block(Poco::Data::Session& session, const std::string& id,
                                                                    std::uint64_t row);

[[nodiscard]] Result<void> expect_operation(Poco::Data::Session& session, const std::string& id);

/// Number of rows of the operation.
[[nodiscard]] Result<std::uint64_t> count_rows(Poco::Data::Session& session, const std::string& id);

[[nodiscard]] tl::unexpected<Error> unknown_operation(std::string_view id);

}  // namespace headgate::operations
