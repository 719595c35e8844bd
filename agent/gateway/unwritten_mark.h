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
#include "flowlog/line_block.h"

namespace headgate::gateway {

/// A file `unwritten-records.ID` with the operation's id. The process that writes the records locks it, and removes it
/// when they are written; a killed process leaves it behind.
class UnwrittenMark final : public flowlog::RecordTicket {
  public:
    /// EBUSY: another process holds it.
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> make(const std::filesystem::path& state_dir,
                                                                           std::string_view operation_id);

    /// Takes over a mark that was left behind. ENOENT: it does not exist. EBUSY: another process holds it.
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> take_over(const std::filesystem::path& state_dir,
                                                                                std::string_view operation_id);

    /// Removes the file, unless records were given up.
    ~UnwrittenMark() override;
    UnwrittenMark(const UnwrittenMark&) = delete;
    UnwrittenMark& operator=(const UnwrittenMark&) = delete;

    void given_up() const override { is_left_ = true; }

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

}  // namespace headgate::gateway
