// SPDX-License-Identifier: GPL-2.0-or-later
// Marks a flush whose flow log records are not all written, so that they can be recovered if the process is killed.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::flowlog {

/// A file `unwritten-records.ID` with the operation's id. The process that writes the records locks it, and removes it
/// when they are written; a killed process leaves it behind. The flush and its records share the object: it lives until
/// every sink has written or dropped all of them.
class UnwrittenMark {
  public:
    /// Locked: another process holds it.
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> make(const std::filesystem::path& state_dir,
                                                                           std::string_view operation_id);

    /// Takes over a mark that was left behind. Missing: it does not exist. Locked: another process holds it.
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> adopt(const std::filesystem::path& state_dir,
                                                                            std::string_view operation_id);

    /// Removes the file, unless records were given up.
    ~UnwrittenMark();
    UnwrittenMark(const UnwrittenMark&) = delete;
    UnwrittenMark& operator=(const UnwrittenMark&) = delete;

    /// Called from any thread when records are dropped that a later process can still write: keeps the file.
    void given_up() const { is_left_ = true; }

    /// Ids of all marked operations, of any process.
    [[nodiscard]] static std::vector<std::string> all(const std::filesystem::path& state_dir);

  private:
    UnwrittenMark(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> open(const std::filesystem::path& state_dir,
                                                                           std::string_view operation_id, int flags);

    std::filesystem::path path_;
    FileDescriptor file_;
    mutable std::atomic<bool> is_left_ = false;  ///< the file is kept for a later recovery
};

}  // namespace headgate::flowlog
