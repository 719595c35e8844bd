// SPDX-License-Identifier: GPL-2.0-or-later
// Finds policies by name: the operator's own first, then those that come with headgate.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

namespace headgate::midstream {

/// The first of two policies of the same name wins. The first folder is the operator's, /etc/headgate/policies.
[[nodiscard]] std::vector<std::filesystem::path> policy_folders();

/// Finds a policy by its name, or by its path if there is a slash in it. An invalid file is an error, even if a later
/// folder has a valid one of this name.
[[nodiscard]] Result<StreamExceptionPolicy> find_policy(std::string_view name,
                                                        std::span<const std::filesystem::path> folders);

struct PolicyEntry {
    std::string name;  ///< empty if `file` is a folder that can't be read
    std::filesystem::path file;
    Result<StreamExceptionPolicy> policy;
};

/// All policies that find_policy finds by name, and the files for which it fails. Sorted by name.
[[nodiscard]] std::vector<PolicyEntry> list_policies(std::span<const std::filesystem::path> folders);

}  // namespace headgate::midstream
