// Marks a flush whose records are not all written so far, for whoever comes after a process that was killed.
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

/// A file `unwritten-records.ID`, of the operation's id. The process that writes the records holds it locked and
/// removes it when it is done with them; a killed one leaves it.
class UnwrittenMark final : public flowlog::RecordTicket {
  public:
    /// EBUSY: another process has it.
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> make(const std::filesystem::path& state_dir,
                                                                           std::string_view operation_id);

    /// One that was left behind. ENOENT: there is none, or no more. EBUSY: another process has it.
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> take_over(const std::filesystem::path& state_dir,
                                                                                std::string_view operation_id);

    /// Removes the file, unless there are records given up.
    ~UnwrittenMark() override;
    UnwrittenMark(const UnwrittenMark&) = delete;
    UnwrittenMark& operator=(const UnwrittenMark&) = delete;

    void given_up() const override { is_left_ = true; }

    /// The operations that are marked, by whomever.
    [[nodiscard]] static std::vector<std::string> all(const std::filesystem::path& state_dir);

  private:
    UnwrittenMark(std::filesystem::path path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
    [[nodiscard]] static Result<std::shared_ptr<const UnwrittenMark>> open(const std::filesystem::path& state_dir,
                                                                           std::string_view operation_id, int flags);

    std::filesystem::path path_;
    FileDescriptor file_;
    mutable std::atomic<bool> is_left_ = false;  ///< to whoever comes next
};

}  // namespace headgate::gateway
