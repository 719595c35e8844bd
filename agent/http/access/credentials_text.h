// The file of credentials as people read of it. Both texts are checked in, as docs/credentials.md and
// packaging/credentials.yaml; a test holds them to what these functions say.
#pragma once

#include <string>

namespace headgate::http::access {

/// A page of Markdown.
[[nodiscard]] std::string credentials_reference();

/// A file without any credentials: every setting is in it, behind a `#` without a space.
[[nodiscard]] std::string credentials_example();

}  // namespace headgate::http::access
