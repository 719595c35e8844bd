// SPDX-License-Identifier: GPL-2.0-or-later
// Reads YAML texts as lists of settings define, and collects all errors in them, so that they are reported at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "config/setting.h"

namespace headgate::config {

/// Whether an error may quote an unknown key: in a file of secrets the key may be a misplaced secret.
enum class Quoting : std::uint8_t { Allowed, Forbidden };

inline constexpr std::size_t kMostErrors = 20;  ///< reported errors; the number of further ones follows them

class FaultList {
  public:
    /// Passes each value of a text to its setting; `name` prefixes its errors. If there are any, the target of the
    /// settings must not be used.
    void read(const std::string& text, std::string_view name, const SettingMap& settings,
              Quoting quoting = Quoting::Allowed);

    void add(std::string message);

    /// An error is Invalid and has a line for each fault: `/etc/headgate/headgate.yaml:4: account: "12" is not ...`.
    [[nodiscard]] Result<void> verdict() const;

  private:
    std::vector<std::string> faults_;
};

}  // namespace headgate::config
