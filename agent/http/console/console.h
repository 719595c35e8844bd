// SPDX-License-Identifier: GPL-2.0-or-later
// The web console: the files in `web/`, embedded compressed (embed.cmake). It uses /v1 like any other client
// (/v1/overview and /v1/session were made for it). No build step: scripts import each other by relative names.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "http/message.h"

namespace headgate::http {

/// A file of the console as it is sent.
struct ConsoleAsset {
    std::string_view path;  ///< `/`, or `/console/HASH/NAME`: the hash changes with the content
    std::string_view content_type;
    std::span<const unsigned char> gzip;  ///< RFC 1952
};

/// All files; the path `/` is the page.
[[nodiscard]] std::span<const ConsoleAsset> console_assets();

/// Whether the request is for a file of the console, which any client may have, as it reveals nothing of the gateway.
[[nodiscard]] bool is_of_console(const Request& request);

/// The response with the file at the request's path; nothing where the console has none there.
[[nodiscard]] std::optional<Response> console_answer(const Request& request);

}  // namespace headgate::http
