// UTF-8, for what must hold nothing else. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace headgate {

/// What is not UTF-8 is replaced (U+FFFD): names and messages may hold any bytes, JSON text may not (RFC 8259, 8.1).
[[nodiscard]] std::string as_utf8(std::string_view text);

}  // namespace headgate
