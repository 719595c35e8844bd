// How SqliteStore gets rid of operations, and gives their space back.
//
// An operation goes at once, as a row of its table, and its flows after it, some megabytes at a time: nobody waits for
// long, and if it is cut short the next sweep goes on. The free pages are then cut off the file, which takes moving as
// many of the last ones to the front (auto_vacuum = INCREMENTAL). Simply using them again would be cheaper, but the
// file would stay as large as it ever was, and a disk budget could not be kept nor checked with ls(1).
#include <Poco/Data/Statement.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "operations/operation_document.h"
#include "operations/sqlite_store.h"
#include "operations/state_error.h"

namespace headgate::operations {
namespace {

using namespace Poco::Data::Keywords;
using Poco::Data::Session;
using Poco::Data::Statement;

constexpr int kBlocksAtOnce = 128;  // some tens of milliseconds
constexpr int kPagesAtOnce = 1024;  // 4 MiB to be moved at most

/// Whose flows are being flushed just now.
constexpr const char* kSources =
    "(SELECT json_extract(document, '$.from_operation') FROM operations WHERE status = 'IN_PROGRESS')";

std::string in_progress() {
    return std::string{to_string(OperationStatus::InProgress)};
}

/// How many blocks it was.
Result<std::size_t> remove_orphans(Session& session) {
    static constexpr const char* kOrphans =
        "(SELECT number FROM blocks WHERE operation NOT IN (SELECT number FROM operations) ORDER BY operation, first"
        " LIMIT ?)";
    session << "DELETE FROM outcomes WHERE block IN " << kOrphans, bind(kBlocksAtOnce), now;
    Statement statement{session};
    statement << "DELETE FROM blocks WHERE number IN " << kOrphans, bind(kBlocksAtOnce);
    return statement.execute();
}

Result<void> cut_off_free_pages(Session& session) {
    int free = 0;
    session << "PRAGMA freelist_count", into(free), now;
    for (int before = free + 1; free > 0 && free < before;) {
        before = free;
        session << "PRAGMA incremental_vacuum(" << kPagesAtOnce << ")", now;
        session << "PRAGMA freelist_count", into(free), now;
    }
    return {};
}

/// Works the log into the file and empties it, as far as nobody reads from it just now.
Result<void> empty_log(Session& session) {
    int ignored = 0;
    session << "PRAGMA wal_checkpoint(TRUNCATE)", into(ignored), into(ignored), into(ignored), now;
    return {};
}

}  // namespace

Result<void> SqliteStore::sweep() {
    for (std::size_t now_removed = 1; now_removed > 0;) {
        const auto some = writer_.database.transact(Durability::Kept, remove_orphans);
        if (!some) return tl::unexpected(some.error());
        now_removed = *some;
    }
    return writer_.database.run(cut_off_free_pages).and_then([&] { return writer_.database.run(empty_log); });
}

Result<std::uint64_t> SqliteStore::expire(Timestamp before) {
    const std::lock_guard lock{writer_.mutex};
    auto removed = writer_.database.transact(Durability::Kept, [&](Session& session) -> Result<std::uint64_t> {
        Statement statement{session};
        statement << "DELETE FROM operations WHERE status <> ? AND requested_at < ? AND id NOT IN " << kSources,
            bind(in_progress()), bind(static_cast<Poco::Int64>(before.time_since_epoch().count()));
        return statement.execute();
    });
    if (!removed || *removed == 0) return removed;
    if (auto swept = sweep(); !swept) return tl::unexpected(std::move(swept.error()));
    return removed;
}

Result<std::uint64_t> SqliteStore::shrink_to(std::uint64_t bytes) {
    const std::lock_guard lock{writer_.mutex};
    // The log may be all that is too much, or what a removal left that was cut short. The first fails on a full disk.
    if (writer_.database.bytes() > bytes) {
        static_cast<void>(writer_.database.run(empty_log));
        if (auto swept = sweep(); !swept) return tl::unexpected(std::move(swept.error()));
    }
    for (std::uint64_t removed = 0;; ++removed) {
        const auto used = writer_.database.bytes();
        if (used <= bytes) return removed;
        const auto oldest = writer_.database.transact(Durability::Kept, [&](Session& session) -> Result<std::size_t> {
            Statement statement{session};
            statement << "DELETE FROM operations WHERE number ="
                         " (SELECT number FROM operations WHERE status <> ? AND id NOT IN "
                      << kSources << " ORDER BY number LIMIT 1)",
                bind(in_progress());
            return statement.execute();
        });
        if (!oldest) return tl::unexpected(oldest.error());
        if (*oldest == 0) return removed;
        if (auto swept = sweep(); !swept) return tl::unexpected(std::move(swept.error()));
        // Somebody who reads keeps the log as long as it is: to remove more would free no more.
        if (writer_.database.bytes() >= used) return removed + 1;
    }
}

Result<void> SqliteStore::ensure_room(std::uint64_t flows) {
    // IPv6 rows with their outcomes, in the file, and once more in the log as far as that grows (database.cpp).
    constexpr std::uint64_t kBytesPerStoredFlow = 110;
    constexpr std::uint64_t kLog = std::uint64_t{32} << 20U;
    constexpr std::uint64_t kRest = std::uint64_t{256} << 10U;
    struct statvfs disk {};
    const auto& file = writer_.database.file();
    // A file that is open for writing stays so when its file system is mounted read-only after an error.
    if (::access(file.c_str(), W_OK) != 0) return state_error(errno, file);
    if (::statvfs(file.c_str(), &disk) != 0) return system_error(errno, file);
    const auto rows = flows * kBytesPerStoredFlow;
    const auto free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    return free >= rows + std::min(rows, kLog) + kRest ? Result<void>{} : writer_.database.no_space();
}

void SqliteStore::trim() {
    const auto shrink = [](Session& session) -> Result<void> {
        session << "PRAGMA shrink_memory", now;
        return {};
    };
    for (auto* const connection : {&writer_, &reader_}) {
        const std::lock_guard lock{connection->mutex};
        static_cast<void>(connection->database.run(shrink));
    }
}

Result<std::uint64_t> SqliteStore::bytes_used() {
    return writer_.database.bytes();
}

}  // namespace headgate::operations
