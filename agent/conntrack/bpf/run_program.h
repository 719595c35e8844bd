// SPDX-License-Identifier: GPL-2.0-or-later
// Loading and running the programs in the kernel (BPF_PROG_TEST_RUN).
#pragma once

#include <cstdint>

#include "headgate/flow.h"
#include "headgate/result.h"

#include "conntrack/bpf/entry_key.h"

namespace headgate::conntrack {

/// `fault`: of programs.h.
[[nodiscard]] tl::unexpected<Error> not_loaded(int fault);

[[nodiscard]] Result<void> run_program(int program);

/// As many times as said. The packet is of the calling thread's network namespace; the program does not read it.
[[nodiscard]] Result<void> run_on_packet(int program, std::uint32_t times = 1);

/// For TCP and UDP.
[[nodiscard]] entry_key key_of(const FlowTuple& tuple, std::uint16_t zone);

}  // namespace headgate::conntrack
