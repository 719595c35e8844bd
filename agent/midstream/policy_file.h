// SPDX-License-Identifier: GPL-2.0-or-later
// Stream exception policies as YAML files, one per file; the file's name is the policy's. The single definition of
// their keys.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "headgate/result.h"
#include "headgate/stream_exception_policy.h"

#include "config/setting.h"

namespace headgate::midstream {

/// The keys of a file, bound to `policy`, which must outlive them.
[[nodiscard]] config::SettingMap settings_of(StreamExceptionPolicy& policy);

/// The name of a policy and of its file: none of those by which the setting `stream_exception_policy` names no policy.
[[nodiscard]] Result<std::string> parse_file_name(std::string_view text);

[[nodiscard]] Result<StreamExceptionPolicy> read_policy_file(const std::filesystem::path& path);

/// `where`: the name of the text in errors, which have a line for each fault:
/// `WHERE:4: hooks: "sideways" is none of forward, input and output`.
[[nodiscard]] Result<StreamExceptionPolicy> parse_policy(std::string_view text, std::string_view name,
                                                         std::string_view where);

}  // namespace headgate::midstream
