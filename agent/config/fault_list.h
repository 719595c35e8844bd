// SPDX-License-Identifier: GPL-2.0-or-later
// Collects the errors in configuration files, so that all are reported at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "config/setting.h"
#include "config/settings_reader.h"

namespace headgate::config {

inline constexpr std::size_t kMostErrors = 20;  ///< reported errors; the number of further ones follows them

class FaultList {
  public:
    /// Reads a text as a list of settings defines; `name` prefixes its errors.
    void read(const std::string& text, std::string_view name, const SettingMap& settings,
              Quoting quoting = Quoting::Allowed);

    void add(std::string message);

    /// An error is Invalid and has a line for each fault: `/etc/headgate/headgate.yaml:4: account: "12" is not ...`.
    [[nodiscard]] Result<void> verdict() const;

  private:
    std::vector<std::string> faults_;
};

}  // namespace headgate::config
