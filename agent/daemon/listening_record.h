// SPDX-License-Identifier: GPL-2.0-or-later
// Records across agent restarts until when an agent listened for DESTROY events: flows that end in between have no
// record and cannot be counted.
#pragma once

#include <filesystem>
#include <string>

#include "headgate/flow.h"
#include "headgate/result.h"

namespace headgate::daemon {

class ListeningRecord {
  public:
    explicit ListeningRecord(const std::filesystem::path& state_dir) : file_(state_dir / "flow-log-heard") {}

    /// Records that listening began. Returns a sentence about the gap before; empty for the first agent.
    [[nodiscard]] std::string begin(Timestamp now) const;

    /// Records that listening ended.
    void end(Timestamp now) const;

  private:
    [[nodiscard]] std::string read() const;
    void write(const std::string& text) const;

    std::filesystem::path file_;
};

}  // namespace headgate::daemon
