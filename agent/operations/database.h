// One connection to the store's database: SQLite through Poco, with what both throw turned into errors.
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

/// What a commit waits for.
enum class Durability : std::uint8_t {
    Kept,    ///< survives this process; after a power cut it may be as if it had not been, wholly
    OnDisk,  ///< survives a power cut, too, and with it all commits before it
};

/// What becomes of the log when the last connection closes.
enum class LogAtEnd : std::uint8_t {
    WorkedIn,  ///< the file has everything, and the log goes
    Left,      ///< nothing is written
};

/// As the file system lets us.
enum class Access : std::uint8_t {
    Write,
    Read,   ///< together with the log, which is there
    Still,  ///< without the log: nobody writes meanwhile, for nobody can (sqlite.org/uri.html, "immutable")
};

/// Not thread-safe.
class Database {
  public:
    /// The file must be there. Several processes may have it open. Root works on it as whom the path leads to
    /// (file_identity.h).
    [[nodiscard]] static Result<Database> open(const std::string& file, Access access = Access::Write);

    /// One without a file: empty, and gone with this object.
    [[nodiscard]] static Result<Database> open_in_memory();

    ~Database();
    Database(Database&& other) noexcept = default;
    Database& operator=(Database&& other) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Runs `work(session)`, which returns a Result and may throw what Poco throws. An error names the file and says
    /// what to do; a full disk has ENOSPC, one that is held by others EBUSY.
    template <typename Work>
    [[nodiscard]] auto run(Work&& work) -> std::invoke_result_t<Work, Poco::Data::Session&> {
        return identity_.run([&]() -> std::invoke_result_t<Work, Poco::Data::Session&> {
            try {
                return std::forward<Work>(work)(*session_);
            } catch (const Poco::Exception& thrown) {
                return tl::unexpected(error_of(thrown));
            } catch (...) {
                return tl::unexpected(error_of_exception());  // so that a transaction is rolled back after it, too
            }
        });
    }

    /// The same as one transaction that is alone in writing: all of it is done, or after an error nothing.
    template <typename Work>
    [[nodiscard]] auto transact(Durability durability, Work&& work)
        -> std::invoke_result_t<Work, Poco::Data::Session&> {
        if (auto begun = begin(durability); !begun) return tl::unexpected(std::move(begun.error()));
        auto done = run(std::forward<Work>(work));
        if (auto ended = done ? commit() : Result<void>{}; !ended) done = tl::unexpected(std::move(ended.error()));
        if (!done) roll_back();
        return done;
    }

    void when_closed(LogAtEnd log) noexcept;

    /// Bytes that the file takes on the disk, with its log.
    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] std::uint64_t bytes_of_log() const;

    /// Works the log into the file and empties it, as far as nobody reads from it just now: waits for nobody.
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
