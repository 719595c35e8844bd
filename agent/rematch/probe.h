// SPDX-License-Identifier: GPL-2.0-or-later
// A probe: the first packet of a connection, as its initiator sent it, with a number by which the kernel's reports
// about it name the question.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "headgate/flow.h"

#include "netlink/messages.h"

namespace headgate::rematch {

/// What of a flow a verdict depends on.
struct Question {
    FlowTuple original;
    FlowTuple reply;
    std::uint32_t mark = 0;
    std::uint32_t status = 0;
    std::uint16_t zone = 0;
    bool has_labels = false;

    friend bool operator==(const Question&, const Question&) = default;
};

[[nodiscard]] Question question_of(const Flow& flow);

enum class ProbeKind : std::uint8_t {
    Silent,  ///< reported where it is accepted or trips a wire
    Traced,  ///< its whole way is reported
};

inline constexpr std::size_t kLongestProbe = 40 + 32;

/// Writes the packet from the network header on, and returns its length; 0 if the first packet of such a connection is
/// not known.
[[nodiscard]] std::size_t write_probe(const FlowTuple& tuple, std::uint32_t cookie, ProbeKind kind,
                                      std::span<std::uint8_t, kLongestProbe> packet);

struct SeenProbe {
    FlowTuple tuple;  ///< as translated so far
    std::uint32_t cookie = 0;
};

/// Reads a probe from the headers in a report. Absent for another packet, such as an error that a probe caused.
[[nodiscard]] std::optional<SeenProbe> read_probe(netlink::Bytes network_header, netlink::Bytes transport_header);

}  // namespace headgate::rematch
