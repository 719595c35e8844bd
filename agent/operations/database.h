// SPDX-License-Identifier: GPL-2.0-or-later
// A connection to the store's database: SQLite through Poco, with exceptions turned into errors.
#pragma once

#include <Poco/Data/Session.h>
#include <Poco/Exception.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "headgate/result.h"

#include "files/file_identity.h"
#include "threads/guarded.h"

namespace headgate::operations {

/// When a commit returns.
enum class Durability : std::uint8_t {
    Kept,    ///< survives the process; a power cut may undo it as a whole
    OnDisk,  ///< survives a power cut, together with all earlier commits
};

/// What happens to the write-ahead log when the last connection closes.
enum class LogAtEnd : std::uint8_t {
    WorkedIn,  ///< checkpointed into the file and removed
    Left,      ///< nothing is written
};

/// Access mode, as the file system permits.
enum class Access : std::uint8_t {
    Write,
    Read,   ///< with the log, which exists
    Still,  ///< without the log: no process can write to the file (sqlite.org/uri.html, "immutable")
};

/// Not thread-safe.
class Database {
  public:
    /// The file must exist. Several processes may open it. Root works on it as the user to whom the path leads
    /// (file_identity.h).
    [[nodiscard]] static Result<Database> open(const std::string& file, Access access = Access::Write);

    /// An empty database without a file, destroyed with this object.
    [[nodiscard]] static Result<Database> open_in_memory();

    ~Database();
    Database(Database&& other) noexcept = default;
    Database& operator=(Database&& other) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Runs `work(session)`, which returns a Result and may throw Poco's exceptions. Errors name the file and the
    /// remedy; DiskFault for a full disk, Locked for a file that other processes hold.
    template <typename Work>
    [[nodiscard]] auto run(Work&& work) -> std::invoke_result_t<Work, Poco::Data::Session&> {
        return identity_.run([&]() -> std::invoke_result_t<Work, Poco::Data::Session&> {
            try {
                return std::forward<Work>(work)(*session_);
            } catch (const Poco::Exception& thrown) {
                return tl::unexpected(error_of(thrown));
            } catch (...) {
                return tl::unexpected(error_of_exception());  // caught too, so that a transaction is rolled back
            }
        });
    }

    /// Likewise in one exclusive write transaction: on an error nothing was written.
    template <typename Work>
    [[nodiscard]] auto transact(Durability durability, Work&& work)
        -> std::invoke_result_t<Work, Poco::Data::Session&> {
        RETURN_IF_ERROR(begin(durability));
        auto done = run(std::forward<Work>(work));
        if (auto ended = done ? commit() : Result<void>{}; !ended) done = tl::unexpected(std::move(ended.error()));
        if (!done) roll_back();
        return done;
    }

    void when_closed(LogAtEnd log) noexcept;

    /// Bytes on disk, including the log.
    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] std::uint64_t bytes_of_log() const;

    /// Checkpoints and truncates the log as far as no reader uses it; waits for no one.
    [[nodiscard]] Result<void> empty_log();

    [[nodiscard]] tl::unexpected<Error> no_space() const;
    [[nodiscard]] const std::string& file() const noexcept { return file_; }

  private:
    Database(std::string file, FileIdentity identity) : file_(std::move(file)), identity_(std::move(identity)) {}

    [[nodiscard]] static Result<Database> connect(const std::string& file, const std::string& connection,
                                                  FileIdentity identity);
    void distrust_file() noexcept;
    [[nodiscard]] Result<void> configure();
    [[nodiscard]] Result<void> begin(Durability durability);
    [[nodiscard]] Result<void> commit();
    void roll_back();
    [[nodiscard]] Error error_of(const Poco::Exception& thrown) const;

    std::string file_;
    FileIdentity identity_;
    std::unique_ptr<Poco::Data::Session> session_;
    Durability durability_ = Durability::OnDisk;
};

}  // namespace headgate::operations
