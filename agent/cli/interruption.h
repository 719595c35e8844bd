// SPDX-License-Identifier: GPL-2.0-or-later
// SIGINT and SIGTERM as a question rather than an end, for work that must not be left half told.
#pragma once

namespace headgate::cli {

/// As long as it lives, these signals only set what requested() tells; a second one ends the process as usual.
/// On the main thread; one inside another is part of it.
class Interruption {
  public:
    Interruption();
    ~Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    [[nodiscard]] static bool requested() noexcept;
};

}  // namespace headgate::cli
