// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/database.h"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/URI.h>
#include <sqlite3.h>

#include <cerrno>
#include <filesystem>
#include <mutex>

#include "operations/state_error.h"

namespace headgate::operations {
namespace {

using namespace Poco::Data::Keywords;
namespace sqlite = Poco::Data::SQLite;

/// Writers hold the lock for milliseconds: after this time the holder hangs.
constexpr std::size_t kBusySeconds = 10;

/// Only a URI can specify that the file must not be created (sqlite.org/uri.html).
std::string connection_to(const std::string& file, Access access) {
    std::string encoded;
    Poco::URI::encode(file, "?#", encoded);
    const auto* const how = access == Access::Write ? "?mode=rw" : access == Access::Read ? "?mode=ro" : "?immutable=1";
    return "file:" + encoded + how;
}

void register_connector() {
    static std::once_flag once;
    std::call_once(once, sqlite::Connector::registerConnector);
}

std::string folder_of(const std::string& file) {
    return std::filesystem::path{file}.parent_path().string();
}

bool is_full(const Poco::Exception& thrown, int system_error) {
    // On a full disk the write-ahead log's index fails with an I/O error, where the log itself would report a full
    // disk; an exceeded quota is always an I/O error (os_unix.c, seekAndWrite and unixShmMap).
    return dynamic_cast<const sqlite::DatabaseFullException*>(&thrown) != nullptr ||
           (dynamic_cast<const sqlite::IOErrorException*>(&thrown) != nullptr &&
            (system_error == ENOSPC || system_error == EDQUOT));
}

/// Poco repeats SQLite's text: `file is not a database: file is not a database`.
std::string reason(const Poco::Exception& thrown) {
    const auto& message = thrown.message();
    const auto once = message.substr(0, message.find(": "));
    return message == fmt::format("{0}: {0}", once) ? once : message;
}

std::uint64_t size_of(const std::string& file) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file, absent);
    return absent ? 0 : size;
}

}  // namespace

Result<Database> Database::open(const std::string& file, Access access) {
    return connect(file, connection_to(file, access), FileIdentity::of(file));
}

Result<Database> Database::open_in_memory() {
    return connect(":memory:", ":memory:", {});
}

Result<Database> Database::connect(const std::string& file, const std::string& connection, FileIdentity identity) {
    register_connector();
    return identity.run([&]() -> Result<Database> {
        try {
            Database database{file, identity};
            database.session_ = std::make_unique<Poco::Data::Session>("SQLite", connection, kBusySeconds);
            RETURN_IF_ERROR(database.configure());
            return database;
        } catch (const Poco::Exception& thrown) {
            return failed("{}: cannot be opened: {}", file, thrown.message());
        }
    });
}

Database& Database::operator=(Database&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(identity_, other.identity_);
    std::swap(session_, other.session_);
    std::swap(durability_, other.durability_);
    return *this;
}

/// Closing checkpoints and removes the log, which must also happen with the file's identity.
Database::~Database() {
    if (!session_) return;
    static_cast<void>(identity_.run([&]() -> Result<void> {
        session_.reset();
        return {};
    }));
}

/// Content that another user may have put into the file is data and must not execute (sqlite.org/security.html).
void Database::distrust_file() noexcept {
    auto* const handle = sqlite::Utility::dbHandle(*session_);
    for (const auto& [option, value] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}})
        sqlite3_db_config(handle, option, value, nullptr);
}

Result<void> Database::configure() {
    distrust_file();
    return run([&](Poco::Data::Session& session) -> Result<void> {
        int ignored = 0;
        session << "PRAGMA cell_size_check = ON", now;
        session << "PRAGMA busy_timeout = " << kBusySeconds * 1000, into(ignored), now;
        session << "PRAGMA synchronous = FULL", now;
        session << "PRAGMA cache_size = -1024", now;  // KiB, small: blocks are read once
        // Pages (16 MiB) until a checkpoint, which takes two syncs. The log file never shrinks by itself.
        session << "PRAGMA wal_autocheckpoint = 4096", into(ignored), now;
        return {};
    });
}

void Database::when_closed(LogAtEnd log) noexcept {
    sqlite3_db_config(sqlite::Utility::dbHandle(*session_), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                      log == LogAtEnd::Left ? 1 : 0, nullptr);
}

Result<void> Database::begin(Durability durability) {
    // The previous rollback may have failed for lack of memory.
    if (sqlite3_get_autocommit(sqlite::Utility::dbHandle(*session_)) == 0) roll_back();
    return run([&](Poco::Data::Session& session) -> Result<void> {
        if (durability != durability_) {
            session << (durability == Durability::OnDisk ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"),
                now;
            durability_ = durability;
        }
        session << "BEGIN IMMEDIATE", now;
        return {};
    });
}

Result<void> Database::commit() {
    return run([](Poco::Data::Session& session) -> Result<void> {
        session << "COMMIT", now;
        return {};
    });
}

void Database::roll_back() {
    // SQLite may have rolled back by itself after a full disk or an I/O error; then this fails (lang_transaction.html).
    static_cast<void>(run([](Poco::Data::Session& session) -> Result<void> {
        session << "ROLLBACK", now;
        return {};
    }));
}

std::uint64_t Database::bytes() const {
    return size_of(file_) + bytes_of_log();
}

std::uint64_t Database::bytes_of_log() const {
    return size_of(file_ + "-wal");
}

Result<void> Database::empty_log() {
    const auto set_patience = [&](std::size_t milliseconds) {
        return run([&](Poco::Data::Session& session) -> Result<void> {
            int ignored = 0;
            session << "PRAGMA busy_timeout = " << milliseconds, into(ignored), now;
            return {};
        });
    };
    // Otherwise it would wait for readers and block all writers meanwhile (wal_checkpoint_v2.html).
    RETURN_IF_ERROR(set_patience(0));
    auto emptied = run([](Poco::Data::Session& session) -> Result<void> {
        int ignored = 0;
        session << "PRAGMA wal_checkpoint(TRUNCATE)", into(ignored), into(ignored), into(ignored), now;
        return {};
    });
    auto patient = set_patience(kBusySeconds * 1000);
    return emptied ? patient : emptied;
}

tl::unexpected<Error> Database::no_space() const {
    return tl::unexpected(Error{
        ErrorKind::DiskFault,
        fmt::format("{}: no space left on the disk: make room there, or choose another --state-dir", folder_of(file_)),
        ENOSPC});
}

Error Database::error_of(const Poco::Exception& thrown) const {
    const int system_error = sqlite3_system_errno(sqlite::Utility::dbHandle(*session_));
    if (is_full(thrown, system_error)) return no_space().value();
    if (dynamic_cast<const sqlite::DBLockedException*>(&thrown) != nullptr ||
        dynamic_cast<const sqlite::TableLockedException*>(&thrown) != nullptr) {
        return {ErrorKind::Locked, fmt::format("{}: held by another process for {} seconds", file_, kBusySeconds)};
    }
    if (dynamic_cast<const sqlite::CorruptImageException*>(&thrown) != nullptr) {
        return {ErrorKind::Damaged, fmt::format("{}: damaged ({}): it was left as it is; move it away to begin anew",
                                                file_, reason(thrown))};
    }
    if (dynamic_cast<const sqlite::ReadOnlyException*>(&thrown) != nullptr) {
        return {ErrorKind::DiskFault, fmt::format("{}: cannot be written", file_), EROFS};
    }
    if (dynamic_cast<const sqlite::IOErrorException*>(&thrown) != nullptr) {
        const bool is_known = kind_of_errno(system_error) == ErrorKind::DiskFault;
        return {ErrorKind::DiskFault, fmt::format("{}: {}", file_, thrown.displayText()),
                is_known ? system_error : EIO};
    }
    return {ErrorKind::Failed, fmt::format("{}: {}", file_, thrown.displayText())};
}

}  // namespace headgate::operations
