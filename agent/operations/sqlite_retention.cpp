// SPDX-License-Identifier: GPL-2.0-or-later
// SqliteStore: removal of operations, and release of their space. An operation's row is deleted at once, its flows
// afterwards in small steps between which all waiting writers have their turn; an interrupted sweep is continued by the
// next one. Then free pages are cut off the file, which requires moving as many of the last pages forward (auto_vacuum
// = INCREMENTAL). Reusing free pages would be cheaper, but the file would keep its largest size, and a disk budget
// could be neither kept nor checked with ls(1).
#include <Poco/Data/Statement.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>

#include "operations/passed_time.h"
#include "operations/sqlite_store.h"
#include "operations/state_error.h"

namespace headgate::operations {
namespace {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;
using Steady = std::chrono::steady_clock;

// Limits of a step, which takes some milliseconds.
constexpr int kBlocksAtOnce = 32;
constexpr int kPagesAtOnce = 256;  // at most 1 MiB to move

/// The longest pause between two steps.
constexpr Steady::duration kLongestPause = std::chrono::milliseconds{100};

/// Operations whose flows are being flushed now.
constexpr const char* kSources =
    "(SELECT json_extract(document, '$.from_operation') FROM operations WHERE status = 'IN_PROGRESS')";

/// Returns whether an ended operation was there to remove.
bool remove_oldest(Session& session) {
    Statement statement{session};
    statement << "DELETE FROM operations WHERE number ="
                 " (SELECT number FROM operations WHERE status <> 'IN_PROGRESS' AND id NOT IN "
              << kSources << " ORDER BY number LIMIT 1)";
    return statement.execute() != 0;
}

/// A list in SQL of the types that change no flows.
std::string capture_types() {
    std::string types;
    for (std::size_t type = 0; type < kOperationKinds.size(); ++type) {
        if (kOperationKinds[type].changes_flows) continue;
        types += fmt::format("{}'{}'", types.empty() ? "" : ", ", kNames<OperationType>[type]);
    }
    return "(" + types + ")";
}

/// Removes from the caller with the most stored flows, so that no caller displaces the captures of all others.
bool remove_oldest_capture(Session& session) {
    Statement statement{session};
    statement << "DELETE FROM operations WHERE number = (WITH captures AS"
                 " (SELECT number, caller, flows FROM operations WHERE type IN "
              << capture_types()
              << " AND status <> 'IN_PROGRESS'"
                 "  AND number NOT IN (SELECT number FROM operations WHERE id IN "
              << kSources
              << "))"
                 " SELECT min(number) FROM captures WHERE caller IS (SELECT caller FROM captures GROUP BY caller"
                 "  ORDER BY total(flows) DESC, min(number) LIMIT 1))";
    return statement.execute() != 0;
}

bool has_captures(Session& session) {
    int found = 0;
    session << "SELECT EXISTS (SELECT 1 FROM operations WHERE type IN " << capture_types() << ")", into(found), now;
    return found != 0;
}

std::string in_progress() {
    return std::string{to_string(OperationStatus::InProgress)};
}

bool has_orphans(Session& session) {
    int found = 0;
    session << "SELECT EXISTS (SELECT 1 FROM blocks WHERE operation NOT IN (SELECT number FROM operations))",
        into(found), now;
    return found != 0;
}

/// Size of the file once free pages are cut off and the log is checkpointed.
std::uint64_t bytes_of_content(Session& session) {
    std::uint64_t pages = 0;
    std::uint64_t free = 0;
    std::uint64_t size = 0;
    session << "PRAGMA page_count", into(pages), now;
    session << "PRAGMA freelist_count", into(free), now;
    session << "PRAGMA page_size", into(size), now;
    return (pages - free) * size;
}

/// Returns the number of blocks removed.
Result<std::size_t> remove_orphans(Session& session) {
    static constexpr const char* kOrphans =
        "(SELECT number FROM blocks WHERE operation NOT IN (SELECT number FROM operations) ORDER BY operation, first"
        " LIMIT ?)";
    session << "DELETE FROM outcomes WHERE block IN " << kOrphans, bind(kBlocksAtOnce), now;
    Statement statement{session};
    statement << "DELETE FROM blocks WHERE number IN " << kOrphans, bind(kBlocksAtOnce);
    return statement.execute();
}

/// Returns whether more may remain.
Result<bool> cut_off_free_pages(Session& session) {
    const auto free_pages = [&] {
        int free = 0;
        session << "PRAGMA freelist_count", into(free), now;
        return free;
    };
    const int before = free_pages();
    if (before == 0) return false;
    session << "PRAGMA incremental_vacuum(" << kPagesAtOnce << ")", now;
    const int left = free_pages();
    return left > 0 && left < before;
}

}  // namespace

/// Writers of other processes poll for the lock: the pause leaves them half of the time.
template <typename Step>
auto SqliteStore::run_step(Step&& step) -> std::invoke_result_t<Step, Database&> {
    std::this_thread::sleep_until(next_step_.load());
    const LastLock lock{writer_.mutex};
    const auto begin = Steady::now();
    auto done = writing().and_then([&](Database* database) { return step(*database); });
    const auto end = Steady::now();
    next_step_ = end + std::min(end - begin, kLongestPause);
    return done;
}

Result<bool> SqliteStore::sweep_some(Database& database) {
    ASSIGN_OR_RETURN(const auto removed, database.transact(Durability::Kept, remove_orphans));
    if (removed > 0) return true;
    if (auto more = database.run(cut_off_free_pages); !more || *more) return more;
    if (database.bytes_of_log() == 0) return false;
    return database.empty_log().map([] { return false; });
}

Result<bool> SqliteStore::sweep() {
    return run_step(sweep_some);
}

Result<void> SqliteStore::sweep_all(const MayGoOn& may_go_on) {
    while (may_go_on()) {
        ASSIGN_OR_RETURN(const auto more, sweep());
        if (!more) return {};
    }
    return {};
}

Result<std::uint64_t> SqliteStore::expire(std::chrono::seconds kept_for) {
    return write(Durability::Kept, [&](Session& session) -> Result<std::uint64_t> {
        const auto passed = note_passed_time(session, clock_);
        // Ended by an earlier version, which did not record this.
        session << "UPDATE operations SET ended_after = ? WHERE ended_after IS NULL AND status <> ?", bind(passed),
            bind(in_progress()), now;
        Statement statement{session};
        statement << "DELETE FROM operations WHERE status <> ? AND ended_after < ? AND id NOT IN " << kSources,
            bind(in_progress()), bind(passed - static_cast<Poco::Int64>(kept_for.count()));
        return statement.execute();
    });
}

/// Check and removal are one transaction: other processes may be making room, too, and what they have removed but not
/// swept still counts.
Result<SqliteStore::Removal> SqliteStore::remove_oldest_beyond(Database& database, std::uint64_t bytes) {
    return database.transact(Durability::Kept, [&](Session& session) -> Result<Removal> {
        if (has_orphans(session)) return Removal::NotSwept;
        // A reader may prevent truncation of the log: removing more would not free that space.
        if (database.bytes() <= bytes || bytes_of_content(session) <= bytes) return Removal::NotNeeded;
        if (remove_oldest_capture(session)) return Removal::Removed;
        // A capture in progress may be what exceeds the budget: it will end for that, and only captures go for it.
        if (has_captures(session)) return Removal::NoneLeft;
        return remove_oldest(session) ? Removal::Removed : Removal::NoneLeft;
    });
}

Result<std::uint64_t> SqliteStore::shrink_to(std::uint64_t bytes, const MayGoOn& may_go_on) {
    auto now_used = bytes_used();
    if (!now_used || *now_used <= bytes) return now_used.map([](auto) { return std::uint64_t{0}; });
    // The excess may be only log, or what an interrupted removal left. The former fails on a full disk.
    static_cast<void>(run_step([](Database& database) { return database.empty_log(); }));
    for (std::uint64_t removed = 0;;) {
        RETURN_IF_ERROR(sweep_all(may_go_on));
        if (!may_go_on()) return removed;
        ASSIGN_OR_RETURN(const auto oldest,
                         run_step([&](Database& database) { return remove_oldest_beyond(database, bytes); }));
        if (oldest == Removal::Removed) ++removed;
        if (oldest == Removal::NotNeeded || oldest == Removal::NoneLeft) return removed;
    }
}

Result<void> SqliteStore::ensure_room(std::uint64_t flows) {
    // An IPv6 row with its outcome, in the file, and again in the log up to its maximum size (database.cpp).
    constexpr std::uint64_t kBytesPerStoredFlow = 110;
    constexpr std::uint64_t kLog = std::uint64_t{32} << 20U;
    constexpr std::uint64_t kRest = std::uint64_t{256} << 10U;
    struct statvfs disk {};
    const std::lock_guard lock{writer_.mutex};
    ASSIGN_OR_RETURN(const auto writer, writing());
    const auto& file = writer->file();
    // A file opened for writing stays writable when its file system is remounted read-only after an error.
    if (::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) != 0) return state_error(errno, file);
    if (::statvfs(file.c_str(), &disk) != 0) return system_error(errno, file);
    const auto rows = flows * kBytesPerStoredFlow;
    const auto free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    return free >= rows + std::min(rows, kLog) + kRest ? Result<void>{} : writer->no_space();
}

void SqliteStore::trim() {
    const auto shrink = [](Session& session) -> Result<void> {
        session << "PRAGMA shrink_memory", now;
        return {};
    };
    for (auto* const connection : {&writer_, &reader_}) {
        // Connections in use are skipped, so that the caller never waits.
        const std::unique_lock lock{connection->mutex, std::try_to_lock};
        if (lock && connection->database) static_cast<void>(connection->database->run(shrink));
    }
}

Result<std::uint64_t> SqliteStore::bytes_used() {
    const std::lock_guard lock{reader_.mutex};
    return reader_.database->bytes();
}

}  // namespace headgate::operations
