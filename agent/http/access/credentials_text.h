// SPDX-License-Identifier: GPL-2.0-or-later
// Documentation of the credentials file. Both texts are checked in, as docs/credentials.md and
// packaging/credentials.yaml; a unit test compares them with these functions.
#pragma once

#include <string>

namespace headgate::http::access {

/// A page of Markdown.
[[nodiscard]] std::string credentials_reference();

/// A file without credentials, with every setting commented out by a `#` without a space.
[[nodiscard]] std::string credentials_example();

}  // namespace headgate::http::access
