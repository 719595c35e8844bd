// What somebody gives to be read: a file, or a pipe into which somebody writes. A pipe may have a writer that never
// writes, or none at all, which takes for ever: here it does not.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <streambuf>
#include <string>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::operations {

class PatientInput final : public std::streambuf {
  public:
    /// Without a byte for so long, it is an error.
    static constexpr std::chrono::seconds kPatience{30};

    /// `-` is standard input. Never waits for a writer. Refuses what is neither a file nor a pipe nor a socket: a
    /// device may have no end.
    [[nodiscard]] static Result<std::unique_ptr<PatientInput>> open(const std::string& path,
                                                                    std::chrono::milliseconds patience = kPatience);

    /// Why it ended where it did; nothing where that is its end.
    [[nodiscard]] const std::optional<Error>& fault() const noexcept { return fault_; }

  protected:
    int_type underflow() override;

  private:
    PatientInput(std::string name, FileDescriptor file, std::chrono::milliseconds patience)
        : name_(std::move(name)), file_(std::move(file)), patience_(patience) {}

    [[nodiscard]] Result<void> wait() const;
    [[nodiscard]] Result<std::size_t> read_some();

    const std::string name_;
    const FileDescriptor file_;
    const std::chrono::milliseconds patience_;
    std::array<char, 64UL * 1024> room_{};
    std::optional<Error> fault_;
};

}  // namespace headgate::operations
