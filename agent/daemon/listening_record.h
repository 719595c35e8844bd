// Remembers, from one agent to the next, until when somebody listened to the ends of flows: what ended in between has
// no record, and nobody can count it.
#pragma once

#include <filesystem>
#include <string>

#include "headgate/flow.h"
#include "headgate/result.h"

namespace headgate::daemon {

class ListeningRecord {
  public:
    explicit ListeningRecord(const std::filesystem::path& state_dir) : file_(state_dir / "flow-log-heard") {}

    /// From now on somebody listens. A sentence about the time before; empty where this is the first agent.
    [[nodiscard]] std::string begin(Timestamp now) const;

    /// From now on nobody does.
    void end(Timestamp now) const;

  private:
    [[nodiscard]] std::string read() const;
    void write(const std::string& text) const;

    std::filesystem::path file_;
};

}  // namespace headgate::daemon
