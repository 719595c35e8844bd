// SPDX-License-Identifier: GPL-2.0-or-later
// Protection against cross-site requests, made by other sites' pages through an authorized user's browser.
#pragma once

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http::access {

/// Checks Origin, by which a browser names the site of the requesting page (RFC 6454, section 7); other clients send
/// none. Refused where it differs from the agent's site as named by Host.
[[nodiscard]] Result<void> check_origin(const Request& request);

/// Checks Sec-Fetch-Site, which browsers also send where they omit Origin, such as for images (W3C, Fetch Metadata,
/// section 2.3): another page could start work that way without seeing the response. Refused where another site's page
/// asks; a page on another port counts as another site.
[[nodiscard]] Result<void> check_fetch_site(const Request& request);

/// For listeners without credentials: refused where Host is not a loopback name of this machine. Otherwise DNS
/// rebinding (a page's own name resolved to a loopback address) would make that page same-site.
[[nodiscard]] Result<void> check_local_host(const Request& request);

}  // namespace headgate::http::access
