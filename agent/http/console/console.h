// The web console: its page, scripts, styles and icon, which are part of the program. They are the files in `web/`, and
// what they show they ask for under /v1, as any other client does.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "http/message.h"

namespace headgate::http {

/// A file of the console, as it is sent.
struct ConsoleAsset {
    std::string_view path;  ///< `/`, or `/console/HASH/NAME`: another content, another path
    std::string_view content_type;
    std::span<const unsigned char> gzip;  ///< RFC 1952
};

/// All of them; that of the path `/` is the page.
[[nodiscard]] std::span<const ConsoleAsset> console_assets();

/// Whether that is what the request asks for. It says nothing of the gateway, so anybody may have it.
[[nodiscard]] bool is_of_console(const Request& request);

/// What the console has at the request's path; nothing where that is not one of its own.
[[nodiscard]] std::optional<Answer> console_answer(const Request& request);

}  // namespace headgate::http
