// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses in quarantine: for a while, packets from and to them do not pass this machine, whether they begin a
// connection or belong to one. One of headgate's interfaces to the outside: quarantine::KernelQuarantine is the real
// one for one network namespace, and the tests hold an in-memory one to the same conformance tests.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "headgate/address.h"
#include "headgate/flow.h"
#include "headgate/names.h"
#include "headgate/result.h"

namespace headgate {

enum class QuarantineAction : std::uint8_t {
    Drop,
    Reject,  ///< a TCP reset to the sender; for other protocols ICMP administratively prohibited
};
template <>
inline constexpr auto kNames<QuarantineAction> = name_list("drop", "reject");

struct QuarantineEntry {
    static constexpr std::chrono::seconds kLongestTime = std::chrono::hours{24 * 30};
    static constexpr std::size_t kLongestReason = 256;  ///< in bytes

    Prefix prefix;
    QuarantineAction action = QuarantineAction::Drop;
    std::chrono::seconds left{0};  ///< until it ends; rounded up
    Timestamp since{};
    std::string by;             ///< who began it
    std::string reason;         ///< may be empty
    std::uint64_t packets = 0;  ///< caught so far
    std::uint64_t bytes = 0;
    bool is_in_force = true;  ///< false: another program has removed it from the kernel

    friend bool operator==(const QuarantineEntry&, const QuarantineEntry&) = default;
};

enum class Restoration : std::uint8_t {
    NotNeeded,
    Done,  ///< another program had removed or changed what was in force
};

/// Prefixes may overlap: each entry ends by itself. A packet that several entries cover counts for one of them, whose
/// action it gets.
///
/// Not thread-safe: an object serves one caller at a time. Several objects may work concurrently, also on one
/// namespace.
class Quarantine {
  public:
    virtual ~Quarantine() = default;

    /// In the order in which they were added.
    virtual Result<std::vector<QuarantineEntry>> entries() = 0;

    /// Adds all of them, each for `left` from now, or none. Exists if one of the prefixes, exactly, is there already.
    virtual Result<void> add(std::span<const QuarantineEntry> entries) = 0;

    /// Sets the time that is left; of all of them or none. NotFound if one of the prefixes, exactly, is not there.
    virtual Result<void> extend(std::span<const Prefix> prefixes, std::chrono::seconds left) = 0;

    /// Ends all of them or none. NotFound as of extend().
    virtual Result<void> remove(std::span<const Prefix> prefixes) = 0;

    /// Puts the entries in force again for the time that they have left, if they are not.
    virtual Result<Restoration> restore() = 0;
};

}  // namespace headgate
