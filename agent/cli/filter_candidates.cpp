// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/candidates.h"
#include "flow/filter_fields.h"

namespace headgate::cli {
namespace {

constexpr std::string_view kProtocol = "protocol";

/// The parts that the filter does not have yet. Of protocols it may have several.
Candidates parts_after(std::string_view filter, std::string_view kept) {
    Candidates parts;
    const auto has = [&](std::string_view key) {
        const auto part = fmt::format("{}=", key);
        return filter.starts_with(part) || filter.find("," + part) != std::string_view::npos;
    };
    for (const auto& field : kFilterFields)
        if (!has(field.key)) parts.emplace(fmt::format("{}{}=", kept, field.key), field.help);
    parts.emplace(fmt::format("{}{}=", kept, kProtocol), "protocol, by name or number");
    return parts;
}

}  // namespace

Candidates filter_candidates(std::string_view written) {
    const auto sign = written.rfind('=');
    const auto tail = sign == std::string_view::npos ? written : written.substr(sign + 1);
    const auto comma = tail.rfind(',');
    if (sign == std::string_view::npos || comma != std::string_view::npos) {
        return parts_after(written, comma == std::string_view::npos ? "" : tail.substr(0, comma + 1));
    }
    Candidates values;
    if (written.substr(0, sign).ends_with(kProtocol))
        for (auto& name : protocol_names())
            values.emplace(std::move(name), "");
    return values;
}

}  // namespace headgate::cli
