// SPDX-License-Identifier: GPL-2.0-or-later
// What is in quarantine in one network namespace, kept outside the kernel: what the kernel's elements cannot say, and
// what is to be put back after `nft flush ruleset`. A file in /run: it lasts as long as the ruleset can, until the next
// boot.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/quarantine.h"
#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::quarantine {

struct KeptEntry : QuarantineEntry {
    std::chrono::nanoseconds until{0};  ///< time since boot, which never jumps (Clock::up); it determines `left`
    unsigned layer = 0;                 ///< the entries of a layer do not overlap (quarantine_text.h)
    /// What it had caught when its element was added to the kernel, whose counters begin at 0.
    std::uint64_t packets_before = 0, bytes_before = 0;

    void begins_anew() {
        packets_before = packets;
        bytes_before = bytes;
    }

    friend bool operator==(const KeptEntry&, const KeptEntry&) = default;
};

struct QuarantineState {
    std::string fingerprint;  ///< of the table when it was last changed; empty: there is none, or a change was cut off
    unsigned layers = 0;      ///< that the table has
    std::vector<KeptEntry> entries;

    friend bool operator==(const QuarantineState&, const QuarantineState&) = default;
};

[[nodiscard]] std::string state_text(const QuarantineState& state);
[[nodiscard]] Result<QuarantineState> parse_state(std::string_view text);

/// Removes the entries that have ended at `now`, and calculates what the others have left.
void pass_time(QuarantineState& state, std::chrono::nanoseconds now);

class QuarantineFile {
  public:
    /// `cookie`: of the network namespace.
    QuarantineFile(const std::filesystem::path& folder, std::uint64_t cookie);

    /// The exclusive right to write, as long as the descriptor is open. Waits for `patience` at most: Locked
    /// afterwards.
    [[nodiscard]] Result<FileDescriptor> lock(std::chrono::seconds patience) const;

    /// Empty if there is no file. Always complete, also while another process writes.
    [[nodiscard]] Result<QuarantineState> read() const;

    /// Removes the file if there are no entries.
    [[nodiscard]] Result<void> write(const QuarantineState& state) const;

  private:
    std::filesystem::path file_;
};

}  // namespace headgate::quarantine
