// SPDX-License-Identifier: GPL-2.0-or-later
// Stream exception policies as YAML files, one per file; the file's name is the policy's. policies/reject.yaml
// documents the keys.
#pragma once

#include <filesystem>
#include <string_view>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

namespace headgate::midstream {

[[nodiscard]] Result<StreamExceptionPolicy> read_policy_file(const std::filesystem::path& path);

/// `where`: the name of the text in errors: `WHERE:4: hooks: "sideways" is none of forward, input and output`.
[[nodiscard]] Result<StreamExceptionPolicy> parse_policy(std::string_view text, std::string_view name,
                                                         std::string_view where);

}  // namespace headgate::midstream
