// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/sqlite_blocks.h"

#include <Poco/Data/LOB.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/Statement.h>
#include <Poco/Nullable.h>

#include <algorithm>
#include <cerrno>
#include <span>

namespace headgate::operations {
namespace {

using namespace Poco::Data::Keywords;
using Poco::Int64;
using Poco::Data::BLOB;
using Poco::Data::Session;
using Poco::Data::Statement;

BLOB blob_of(const PackedBytes& bytes) {
    return BLOB{reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

PackedBytes bytes_of(const BLOB& blob) {
    const auto bytes = std::as_bytes(std::span{blob.rawContent(), blob.size()});
    return {bytes.begin(), bytes.end()};
}

Int64 to_column(std::uint64_t row) {
    return static_cast<Int64>(std::min<std::uint64_t>(row, INT64_MAX));
}

void insert_outcomes(Session& session, Int64 block, const PackedBytes& outcomes) {
    BLOB blob = blob_of(outcomes);
    session << "INSERT INTO outcomes (block, outcomes) VALUES (?, ?)", use(block), use(blob), now;
}

constexpr const char* kSelectBlock =
    "SELECT number, first, count, rows, outcomes FROM blocks LEFT JOIN outcomes ON block = number"
    " WHERE operation = (SELECT number FROM operations WHERE id = ?) AND ";

Result<std::optional<StoredBlock>> select_block(Session& session, const char* condition, const std::string& id,
                                                std::uint64_t row) {
    Int64 number = 0;
    Int64 first = 0;
    Int64 count = 0;
    BLOB rows;
    Poco::Nullable<BLOB> outcomes;
    Statement statement{session};
    statement << kSelectBlock << condition << " LIMIT 1", bind(id), bind(to_column(row)), into(number), into(first),
        into(count), into(rows), into(outcomes);
    if (statement.execute() == 0) {
        RETURN_IF_ERROR(expect_operation(session, id));
        return std::nullopt;
    }
    StoredBlock block{{static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(count), bytes_of(rows), {}},
                      static_cast<std::uint64_t>(number)};
    if (!outcomes.isNull()) block.outcomes = bytes_of(outcomes.value());
    return block;
}

}  // namespace

Result<std::uint64_t> insert_block(Session& session, const std::string& id, FlowBlock& block, BlockKind kind) {
    Int64 number = 0;
    BLOB rows = blob_of(block.rows());
    Statement statement{session};
    statement << "INSERT INTO blocks (operation, first, count, journal, rows)"
                 " SELECT number, coalesce((SELECT first + count FROM blocks WHERE operation = operations.number"
                 " ORDER BY first DESC LIMIT 1), 0), ?, ?, ? FROM operations WHERE id = ? RETURNING number",
        bind(static_cast<Int64>(block.count())), bind(kind == BlockKind::Journal ? 1 : 0), use(rows), bind(id),
        into(number);
    if (statement.execute() == 0) return unknown_operation(id);
    if (block.has_outcomes()) insert_outcomes(session, number, block.outcomes());
    return static_cast<std::uint64_t>(number);
}

Result<void> record_block_outcomes(Session& session, const std::string& id, std::uint64_t block,
                                   std::span<const FlowRow> endings) {
    BLOB outcomes = blob_of(pack_endings(endings));
    Statement statement{session};
    statement << "INSERT INTO outcomes (block, outcomes) SELECT number, ? FROM blocks WHERE number = ? AND journal = 1"
                 " AND count = ? AND operation = (SELECT number FROM operations WHERE id = ?)"
                 " AND NOT EXISTS (SELECT 1 FROM outcomes WHERE block = number)",
        use(outcomes), bind(to_column(block)), bind(to_column(endings.size())), bind(id);
    if (statement.execute() != 0) return {};
    RETURN_IF_ERROR(expect_operation(session, id));
    return failed("operation {} has no pending block {} of {} flows", id, block, endings.size());
}

Result<std::optional<StoredBlock>> find_block(Session& session, const std::string& id, std::uint64_t row) {
    auto block = select_block(session, "first <= ? ORDER BY first DESC", id, row);
    if (block && *block && (*block)->end() <= row) return std::nullopt;
    return block;
}

Result<std::optional<StoredBlock>> find_pending_block(Session& session, const std::string& id, std::uint64_t row) {
    return select_block(session, "first >= ? AND journal = 1 AND outcomes IS NULL ORDER BY first", id, row);
}

Result<std::uint64_t> count_rows(Session& session, const std::string& id) {
    Int64 rows = 0;
    Statement statement{session};
    statement << "SELECT coalesce((SELECT first + count FROM blocks WHERE operation = operations.number"
                 " ORDER BY first DESC LIMIT 1), 0) FROM operations WHERE id = ?",
        bind(id), into(rows);
    if (statement.execute() == 0) return unknown_operation(id);
    return static_cast<std::uint64_t>(rows);
}

Result<void> expect_operation(Session& session, const std::string& id) {
    return count_rows(session, id).map([](std::uint64_t) {});
}

tl::unexpected<Error> unknown_operation(std::string_view id) {
    return make_error(ErrorKind::Missing, "operation {} does not exist, or was removed", id);
}

}  // namespace headgate::operations
