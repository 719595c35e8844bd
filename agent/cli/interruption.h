// SPDX-License-Identifier: GPL-2.0-or-later
// Turns SIGHUP, SIGINT and SIGTERM into a flag, for work whose results must still be printed and recorded completely.
#pragma once

namespace headgate::cli {

/// During its lifetime, the first of each signal only sets requested(); a further one ends the process as usual. A
/// SIGHUP that the process ignores stays ignored. For the main thread only; nested objects have no effect of their own.
class Interruption {
  public:
    Interruption();
    ~Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    [[nodiscard]] static bool requested() noexcept;
};

}  // namespace headgate::cli
