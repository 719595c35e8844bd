// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/store_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "files/file_descriptor.h"
#include "files/file_identity.h"
#include "files/file_lock.h"
#include "operations/state_error.h"

namespace headgate::operations {
namespace {

using namespace Poco::Data::Keywords;

constexpr int kApplication = 0x68676174;  // "hgat", in the file's header (sqlite.org/fileformat2.html, offset 68)
constexpr std::chrono::seconds kPatience{
    10};  // the folder is locked for milliseconds, while its file is made or opened

// Version 1. Searchable members of operations have columns, the rest is in a document. `blocks` and `outcomes` have
// packed flows (flow_rows.h); large columns come last, so that others are read without them. Blocks without an
// operation are garbage, swept in small steps; hence AUTOINCREMENT: a number is never reused.
constexpr const char* kSchema[] = {
    "CREATE TABLE operations ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"  // in order of their start, independent of the clock
    " id TEXT NOT NULL UNIQUE,"
    " token TEXT UNIQUE,"
    " type TEXT NOT NULL,"
    " status TEXT NOT NULL,"
    " firewall TEXT NOT NULL,"
    " availability_zone TEXT NOT NULL,"
    " requested_at INTEGER NOT NULL,"  // nanoseconds since 1970
    " document TEXT NOT NULL) STRICT",
    "CREATE TABLE blocks ("
    " number INTEGER PRIMARY KEY,"
    " operation INTEGER NOT NULL,"
    " first INTEGER NOT NULL,"  // number of its first row within the operation
    " count INTEGER NOT NULL,"
    " journal INTEGER NOT NULL,"  // 1: flows about to be ended, pending until there are outcomes
    " rows BLOB NOT NULL) STRICT",
    "CREATE UNIQUE INDEX blocks_in_order ON blocks (operation, first)",
    "CREATE TABLE outcomes ("
    " block INTEGER PRIMARY KEY,"
    " outcomes BLOB NOT NULL) STRICT",
};

// Upgrades from version 1 to 2, and so on. While a package is upgraded, a process of the previous version may have the
// file open: a step may only add what that process does not need.
constexpr const char* kSteps[] = {
    // Operations in progress are queried every few minutes, among all stored ones.
    "CREATE INDEX operations_by_status ON operations (status)",
    // Elapsed time (passed_time.cpp) when the operation ended; NULL: not ended, or not recorded.
    "ALTER TABLE operations ADD COLUMN ended_after INTEGER",
    // One row with the last look at the clock.
    "CREATE TABLE passed_time ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " seconds INTEGER NOT NULL,"
    " boot TEXT NOT NULL,"
    " uptime INTEGER NOT NULL) STRICT",
    // For callers confined to some firewalls. An index of a column that changes would need space to complete an
    // operation on a full disk.
    "CREATE INDEX operations_by_firewall ON operations (firewall)",
    // For removal: captures go before flushes, and among them the oldest of the caller with the most stored flows.
    "ALTER TABLE operations ADD COLUMN caller TEXT",
    "ALTER TABLE operations ADD COLUMN flows INTEGER",
    // Tokens used to be unescaped parts joined by colons; compound_key now makes them, mostly with the same result. A
    // token that does not begin with its caller's name is unchanged; Engine compares callers, so no other caller gets
    // its operation.
    "UPDATE OR IGNORE operations SET token ="
    "  substr(token, 1, instr(token, ':'))"
    "  || replace(replace(json_extract(document, '$.face'), '%', '%25'), ':', '%3A') || ':'"
    "  || replace(replace(json_extract(document, '$.user'), '%', '%25'), ':', '%3A') || ':'"
    "  || replace(replace(substr(token, instr(token, ':') + length(json_extract(document, '$.face')) +"
    "     length(json_extract(document, '$.user')) + 3), '%', '%25'), ':', '%3A')"
    " WHERE (token GLOB 'rest:*' OR token GLOB 'aws:*') AND CASE WHEN json_valid(document) THEN"
    "  substr(token, instr(token, ':') + 1, length(json_extract(document, '$.face')) +"
    "     length(json_extract(document, '$.user')) + 2)"
    "  = json_extract(document, '$.face') || ':' || json_extract(document, '$.user') || ':' END",
};
constexpr int kFirstVersion = 1;
constexpr int kStoreVersion = kFirstVersion + static_cast<int>(std::size(kSteps));

/// Opens the directory, creating it if missing, and locks it until closed or until the process ends.
Result<FileDescriptor> lock_folder(const std::string& folder) {
    const auto what = fmt::format("state directory {}", folder);
    if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) return state_error(errno, what);
    FileDescriptor descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!descriptor.is_open()) return state_error(errno, what);
    // SQLite creates files beside the database; without write permission its error would not name the cause.
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) return state_error(errno, what);
    const int fault = lock_within(descriptor.get(), LOCK_EX, kPatience);
    if (fault == ETIMEDOUT) return failed("{}: locked by another process for {} s", what, kPatience.count());
    if (fault != 0) return system_error(fault, what);
    return descriptor;
}

/// SQLite acts on files beside the database. Where others may write to a directory of root's, root checks their owner.
Result<void> refuse_strange_files(const std::string& folder) {
    struct stat facts {};
    if (::geteuid() != 0 || ::stat(folder.c_str(), &facts) != 0 || facts.st_uid != 0) return {};
    for (const auto* suffix : {"", "-journal", "-wal", "-shm"}) {
        const auto file = folder + "/" + kStoreFile + suffix;
        if (::lstat(file.c_str(), &facts) == 0 && facts.st_uid != 0) {
            return failed("{}: belongs to user {}, and its folder to root: it was left as it is", file, facts.st_uid);
        }
    }
    return {};
}

void run_steps(Poco::Data::Session& session, int from, int to) {
    for (int version = from; version < to; ++version)
        session << kSteps[version - kFirstVersion], now;
    session << "PRAGMA user_version = " << to, now;
}

void make_tables(Poco::Data::Session& session, int version) {
    session << "BEGIN IMMEDIATE", now;
    session << "PRAGMA application_id = " << kApplication, now;
    for (const auto* statement : kSchema)
        session << statement, now;
    run_steps(session, kFirstVersion, version);
    session << "COMMIT", now;
}

Result<void> write_schema(const std::string& file) {
    ASSIGN_OR_RETURN(auto database, Database::open(file));
    return database.run([](Poco::Data::Session& session) -> Result<void> {
        std::string mode;
        // auto_vacuum allows to release space; WAL, that readers do not wait for writers. Both must precede the first
        // table (pragma.html).
        session << "PRAGMA auto_vacuum = INCREMENTAL", now;
        session << "PRAGMA journal_mode = WAL", into(mode), now;
        if (mode != "wal")
            return failed("the file system cannot share memory between processes: SQLite's WAL needs it");
        make_tables(session, kStoreVersion);
        return {};
    });
}

Result<Database> make_empty(int version = kStoreVersion) {
    auto database = Database::open_in_memory();
    if (!database) return database;
    auto made = database->run([=](Poco::Data::Session& session) -> Result<void> {
        make_tables(session, version);
        return {};
    });
    return made ? std::move(database) : tl::unexpected(std::move(made.error()));
}

/// Creates the file under another name and renames it when complete.
Result<void> make_file(const std::string& file, const FileDescriptor& folder) {
    const std::string draft = file + ".new";
    const auto remove_draft = [&] {
        for (const auto* suffix : {"", "-wal", "-shm", "-journal"})
            ::unlink((draft + suffix).c_str());
    };
    remove_draft();
    // SQLite creates its own files with this file's mode.
    const FileDescriptor created{::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640)};
    if (!created.is_open()) return system_error(errno, draft);
    if (auto written = write_schema(draft); !written) {
        remove_draft();
        return written;
    }
    if (::fsync(created.get()) != 0 || std::rename(draft.c_str(), file.c_str()) != 0 || ::fsync(folder.get()) != 0) {
        return system_error(errno, file);
    }
    return {};
}

/// Definitions of tables, indexes, and of views and triggers, which could execute anything; without SQLite's own.
std::vector<std::string> definitions(Poco::Data::Session& session) {
    std::vector<std::string> found;
    session << "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema"
               " WHERE name NOT IN ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4') ORDER BY 1 LIMIT 100",
        into(found), now;
    return found;
}

Result<std::vector<std::string>> read_definitions(Database& database) {
    return database.run(
        [](Poco::Data::Session& session) -> Result<std::vector<std::string>> { return definitions(session); });
}

/// Returns the version. Nothing may be written before.
Result<int> judge(Database& database) {
    return database.run([&](Poco::Data::Session& session) -> Result<int> {
        int application = 0;
        int version = 0;
        session << "PRAGMA application_id", into(application), now;
        session << "PRAGMA user_version", into(version), now;
        if (application != kApplication) {
            return failed("{}: not a database of headgate's: it was left as it is; choose another --state-dir",
                          database.file());
        }
        if (version < kFirstVersion || version > kStoreVersion) {
            return failed(
                "{}: has version {}, and this headgate knows none above {}: it was left as it is; use the headgate "
                "that made it, or another --state-dir",
                database.file(), version, kStoreVersion);
        }
        ASSIGN_OR_RETURN(const auto made,
                         make_empty(version).and_then([](Database empty) { return read_definitions(empty); }));
        if (definitions(session) != made) {
            return failed(
                "{}: damaged (not the tables that headgate makes): it was left as it is; move it away to "
                "begin anew",
                database.file());
        }
        return version;
    });
}

/// In one transaction.
Result<void> bring_up_to_date(Database& database, int version) {
    if (version == kStoreVersion) return {};
    return database.transact(Durability::OnDisk, [&](Poco::Data::Session& session) -> Result<void> {
        run_steps(session, version, kStoreVersion);
        return {};
    });
}

Result<Database> open_to_write(const std::string& folder) {
    ASSIGN_OR_RETURN(const auto locked, lock_folder(folder));
    RETURN_IF_ERROR(refuse_strange_files(folder));
    const std::string file = folder + "/" + kStoreFile;
    // Does not open and close the file to inspect it: that would release locks of another store in this process
    // (fcntl_locking(2); sqlite.org/howtocorrupt.html, section 2.2).
    if (::faccessat(AT_FDCWD, file.c_str(), F_OK, AT_EACCESS) != 0) {
        if (errno != ENOENT) return system_error(errno, file);
        RETURN_IF_ERROR(make_file(file, locked));
    }
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) != 0) return system_error(errno, file);
    struct stat log {};
    const bool logged = ::stat((file + "-wal").c_str(), &log) == 0 && log.st_size > 0;
    ASSIGN_OR_RETURN(auto database, Database::open(file));
    // Closing must not change a foreign file, either.
    if (logged) database.when_closed(LogAtEnd::Left);
    ASSIGN_OR_RETURN(const auto version, judge(database));
    database.when_closed(LogAtEnd::WorkedIn);
    RETURN_IF_ERROR(bring_up_to_date(database, version));
    return database;
}

Result<Database> open_to_read(const std::string& folder) {
    RETURN_IF_ERROR(refuse_strange_files(folder));
    const std::string file = folder + "/" + kStoreFile;
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0) {
        return errno == ENOENT ? make_empty() : state_error(errno, file);
    }
    struct stat log {};
    const bool logged = ::stat((file + "-wal").c_str(), &log) == 0 && log.st_size > 0;
    for (const auto access : {Access::Read, Access::Still}) {
        // A log needs its index, which cannot be created on a read-only file system (wal.html, "Read-Only Databases").
        if (access == Access::Read && !logged) continue;
        auto database = Database::open(file, access);
        auto version = database ? judge(*database) : tl::unexpected(database.error());
        if (version) return database;
        if (access == Access::Still) return tl::unexpected(std::move(version.error()));
    }
    return make_empty();
}

/// As the user to whom the path leads, who is named in errors.
template <typename Open>
Result<Database> open_as_owner(const std::string& folder, Open&& open) {
    const auto owner = FileIdentity::of(folder + "/" + kStoreFile);
    auto opened = owner.run([&] { return open(folder); });
    if (!opened) opened.error().message += owner.description();
    return opened;
}

}  // namespace

Result<Database> open_store_file(const std::string& folder) {
    return open_as_owner(folder, open_to_write);
}

Result<Database> open_store_file_to_read(const std::string& folder) {
    return open_as_owner(folder, open_to_read);
}

Result<void> check_store_file(const std::string& folder) {
    return open_store_file_to_read(folder).map([](const Database&) {});
}

}  // namespace headgate::operations
