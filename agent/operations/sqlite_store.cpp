// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/sqlite_store.h"

#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Nullable.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "operations/operation_json.h"
#include "operations/passed_time.h"
#include "operations/sqlite_blocks.h"
#include "operations/state_error.h"
#include "operations/store_file.h"

namespace headgate::operations {
namespace {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;

/// Caller::name() in SQL.
constexpr const char* kCallerName =
    "coalesce(nullif(json_extract(document, '$.sudo_user'), ''), nullif(json_extract(document, '$.user'), ''),"
    " 'uid ' || json_extract(document, '$.uid'), '')";

constexpr const char* kColumns = "id, type, status, firewall, availability_zone, requested_at, document";

Poco::Int64 stored_time(Timestamp time) {
    return time.time_since_epoch().count();
}

/// Columns of rows from `operations`.
struct Columns {
    std::vector<std::string> ids, types, states, firewalls, zones, documents;
    std::vector<Poco::Int64> times;

    void receive(Statement& statement) {
        statement, into(ids), into(types), into(states), into(firewalls), into(zones), into(times), into(documents);
        statement.execute();
    }

    [[nodiscard]] Result<FlowOperation> operation(std::size_t row) const {
        FlowOperation operation;
        operation.id = ids[row];
        operation.endpoint.firewall = firewalls[row];
        operation.endpoint.availability_zone = zones[row];
        operation.requested_at = Timestamp{std::chrono::nanoseconds{times[row]}};
        const auto type = parse_name<OperationType>(types[row]);
        if (!type) return failed("operation {}: type: {}", ids[row], type.error().message);
        const auto status = parse_name<OperationStatus>(states[row]);
        if (!status) return failed("operation {}: status: {}", ids[row], status.error().message);
        operation.type = *type;
        operation.status = *status;
        RETURN_IF_ERROR(read_document(documents[row], operation));
        return operation;
    }
};

Result<std::optional<FlowOperation>> find_one(Session& session, const char* column, const std::string& value) {
    Statement statement{session};
    statement << "SELECT " << kColumns << " FROM operations WHERE " << column << " = ?", bind(value);
    Columns columns;
    columns.receive(statement);
    if (columns.ids.empty()) return std::nullopt;
    ASSIGN_OR_RETURN(auto operation, columns.operation(0));
    return std::optional{std::move(operation)};
}

/// Maximum number of merged queries, below SQLITE_MAX_COMPOUND_SELECT, 500 (sqlite.org/limits.html).
constexpr std::size_t kMostMerged = 100;

/// Builds the query for the numbers of selected operations: its text without ORDER BY, then its values.
class NumbersOf {
  public:
    explicit NumbersOf(const OperationSelection& selection) : selection_(selection) {
        if (!selection.firewalls) {
            add_query({});
        } else {
            add_queries({selection.firewalls->begin(), selection.firewalls->end()});
        }
    }

    [[nodiscard]] bool are_none() const { return text_.empty(); }
    [[nodiscard]] const std::string& text() const { return text_; }
    void bind_to(Statement& statement) const {
        for (const auto& value : values_)
            statement, bind(value);
    }

  private:
    /// An index has each firewall's operations in order: merging these reads no others.
    void add_queries(const std::set<std::string>& firewalls) {
        if (firewalls.size() > kMostMerged) return add_query(firewalls);
        for (const auto& name : firewalls)
            add_query({name});
    }
    void add_query(const std::set<std::string>& firewalls) {
        text_.append(text_.empty() ? "" : " UNION ALL ").append("SELECT number FROM operations");
        word_ = " WHERE ";
        // A unary plus disqualifies a column's index (sqlite.org/optoverview.html, section 5). Few operations are in
        // progress at once, so the status is then the most selective.
        const bool are_few = selection_.status == OperationStatus::InProgress;
        if (firewalls.size() == 1) add(are_few ? "+firewall = ?" : "firewall = ?", *firewalls.begin());
        if (firewalls.size() > 1) add_any_of(firewalls);
        if (selection_.status) add(are_few ? "status = ?" : "+status = ?", to_string(*selection_.status));
        if (selection_.type) add("+type = ?", to_string(*selection_.type));
        if (selection_.availability_zone) add("availability_zone = ?", *selection_.availability_zone);
        if (selection_.since) add("requested_at >= ?", fmt::format("{}", stored_time(*selection_.since)));
        if (selection_.user) add(fmt::format("{} = ?", kCallerName), bytes_as_text(*selection_.user));
        if (!selection_.before_id.empty()) {
            add("number < (SELECT number FROM operations WHERE id = ?)", selection_.before_id);
        }
        if (!selection_.id_begin.empty()) add_begin_of_id();
        if (!selection_.one_off_runs) add("json_extract(document, '$.network_namespace') = ?", "");
    }
    /// A range, for which SQLite uses the index of the ids.
    void add_begin_of_id() {
        auto behind = selection_.id_begin;
        ++behind.back();
        add("id >= ?", selection_.id_begin);
        add("id < ?", behind);
    }
    void add_any_of(const std::set<std::string>& firewalls) {
        std::string places = "?";
        for (std::size_t i = 1; i < firewalls.size(); ++i)
            places += ", ?";
        text_.append(std::exchange(word_, " AND ")).append("firewall IN (").append(places).append(")");
        values_.insert(values_.end(), firewalls.begin(), firewalls.end());
    }
    void add(std::string_view condition, std::string_view value) {
        text_.append(std::exchange(word_, " AND ")).append(condition);
        values_.emplace_back(value);
    }

    const OperationSelection& selection_;
    std::string text_;
    std::string_view word_;  ///< to precede the next condition
    std::vector<std::string> values_;
};

Result<void> insert(Session& session, const FlowOperation& operation, std::string_view token) {
    Statement statement{session};
    statement << "INSERT INTO operations (id, token, type, status, firewall, availability_zone, requested_at, document,"
                 " caller) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        bind(operation.id),
        bind(token.empty() ? Poco::Nullable<std::string>{} : Poco::Nullable<std::string>{std::string{token}}),
        bind(std::string{to_string(operation.type)}), bind(std::string{to_string(operation.status)}),
        bind(operation.endpoint.firewall), bind(operation.endpoint.availability_zone),
        bind(stored_time(operation.requested_at)), bind(to_document(operation)),
        bind(compound_key({operation.caller.face, operation.caller.user}));
    try {
        statement.execute();
    } catch (const Poco::Data::SQLite::ConstraintViolationException&) {
        return make_error(ErrorKind::Exists, "an operation with this id or this request token was begun before");
    }
    return {};
}

Result<void> store_changes(Session& session, const FlowOperation& operation,
                           const Poco::Nullable<Poco::Int64>& ended_after) {
    Statement statement{session};
    statement << "UPDATE operations SET type = ?, status = ?, firewall = ?, availability_zone = ?, requested_at = ?,"
                 " document = ?, flows = ?, ended_after = coalesce(ended_after, ?) WHERE id = ?",
        bind(std::string{to_string(operation.type)}), bind(std::string{to_string(operation.status)}),
        bind(operation.endpoint.firewall), bind(operation.endpoint.availability_zone),
        bind(stored_time(operation.requested_at)), bind(to_document(operation)),
        bind(static_cast<Poco::Int64>(std::min<std::uint64_t>(operation.counts.matched, INT64_MAX))), bind(ended_after),
        bind(operation.id);
    if (statement.execute() == 0) return unknown_operation(operation.id);
    return {};
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(std::string folder, const Clock& clock) {
    std::unique_ptr<SqliteStore> store{new SqliteStore{std::move(folder), clock}};
    const auto writer = store->writing();
    if (writer) return store;
    if (!is_disk_fault(writer.error())) return tl::unexpected(writer.error());
    ASSIGN_OR_RETURN(auto reader, open_store_file_to_read(store->folder_));
    store->reader_.database = std::move(reader);
    return store;
}

Result<Database*> SqliteStore::writing() {
    if (writer_.database) return &*writer_.database;
    ASSIGN_OR_RETURN(auto writer, open_store_file(folder_));
    ASSIGN_OR_RETURN(auto reader, Database::open(writer.file()));
    writer_.database = std::move(writer);
    const std::lock_guard lock{reader_.mutex};
    reader_.database = std::move(reader);
    return &*writer_.database;
}

Result<void> SqliteStore::begin(const FlowOperation& operation, std::string_view request_token) {
    return write(Durability::OnDisk, [&](Session& session) { return insert(session, operation, request_token); });
}

Result<void> SqliteStore::update(const FlowOperation& operation) {
    if (operation.status == OperationStatus::InProgress) {
        return write(Durability::Kept, [&](Session& session) { return store_changes(session, operation, {}); });
    }
    const std::lock_guard lock{writer_.mutex};
    auto written = write_end(operation);
    if (!written && is_disk_fault(written.error()) && operation.status == OperationStatus::Failed) {
        forget_gathered(operation.id);  // without its last rows the end may still be stored
        written = write_end(operation);
    }
    return written;
}

Result<void> SqliteStore::write_end(const FlowOperation& operation) {
    const auto gathered = gathered_.find(operation.id);
    auto written = transact(Durability::OnDisk, [&](Session& session) -> Result<void> {
        if (gathered != gathered_.end()) {
            RETURN_IF_ERROR(insert_block(session, operation.id, gathered->second.block, BlockKind::Told));
        }
        return store_changes(session, operation, note_passed_time(session, clock_));
    });
    if (written) forget_gathered(operation.id);
    return written;
}

Result<std::optional<FlowOperation>> SqliteStore::find(std::string_view id) {
    return read([&](Session& session) { return find_one(session, "id", std::string{id}); });
}

Result<std::optional<FlowOperation>> SqliteStore::find_by_token(std::string_view request_token) {
    return read([&](Session& session) { return find_one(session, "token", std::string{request_token}); });
}

Result<std::vector<FlowOperation>> SqliteStore::list(const OperationSelection& selection) {
    const NumbersOf numbers{selection};
    if (numbers.are_none()) return std::vector<FlowOperation>{};
    return read([&](Session& session) -> Result<std::vector<FlowOperation>> {
        Statement statement{session};
        statement << "SELECT " << kColumns << " FROM operations WHERE number IN (" << numbers.text()
                  << " ORDER BY number DESC LIMIT ?) ORDER BY number DESC";
        numbers.bind_to(statement);
        statement, bind(static_cast<Poco::Int64>(std::min<std::size_t>(selection.at_most, INT64_MAX)));
        Columns columns;
        columns.receive(statement);
        std::vector<FlowOperation> operations;
        for (std::size_t row = 0; row < columns.ids.size(); ++row) {
            ASSIGN_OR_RETURN(auto operation, columns.operation(row));
            operations.push_back(std::move(operation));
        }
        return operations;
    });
}

}  // namespace headgate::operations
