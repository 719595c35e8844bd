// Where policies are found by name: the operator's own, then those that come with headgate.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

namespace headgate::midstream {

/// Of two policies of a name, that in the earlier folder counts. The first is the operator's, /etc/headgate/policies.
[[nodiscard]] std::vector<std::filesystem::path> policy_folders();

/// A policy by its name, or by its path: what has a slash in it is one. A file that is there but wrong is an error,
/// even if a later folder has a good one of this name.
[[nodiscard]] Result<StreamExceptionPolicy> find_policy(std::string_view name,
                                                        std::span<const std::filesystem::path> folders);

struct PolicyEntry {
    std::string name;  ///< empty if `file` is a folder that can't be read
    std::filesystem::path file;
    Result<StreamExceptionPolicy> policy;
};

/// What find_policy finds by name, and the files in which it would stumble. Sorted by name.
[[nodiscard]] std::vector<PolicyEntry> list_policies(std::span<const std::filesystem::path> folders);

}  // namespace headgate::midstream
