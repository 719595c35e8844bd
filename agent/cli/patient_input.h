// SPDX-License-Identifier: GPL-2.0-or-later
// Input from a file or pipe with a timeout: a pipe may have a writer that never writes, or none at all.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <streambuf>
#include <string>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::cli {

class PatientInput final : public std::streambuf {
  public:
    /// Timeout for each next byte.
    static constexpr std::chrono::seconds kPatience{30};

    /// `-` is standard input. Does not wait for a pipe's writer. Refuses anything but files, pipes and sockets: a
    /// device may be endless.
    [[nodiscard]] static Result<std::unique_ptr<PatientInput>> open(const std::string& path,
                                                                    std::chrono::milliseconds patience = kPatience);

    /// Why the input ended early; nothing at its regular end.
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

}  // namespace headgate::cli
