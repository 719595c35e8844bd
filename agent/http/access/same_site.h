// What keeps pages of other sites from asking the agent by the browser of somebody who may.
#pragma once

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http::access {

/// A browser says of which site the page is that asks (RFC 6454, section 7); whoever is no browser says nothing.
/// Refused where that is not the site of the agent, as the request's Host names it.
[[nodiscard]] Result<void> check_origin(const Request& request);

/// A browser also says whether a page of this site asks, the user, or another page, and says so of what it names no
/// origin for, such as pictures (W3C, Fetch Metadata, section 2.3). Another page may start work here with that, though
/// it is not told what comes of it. Refused where it asks; a page of another port is one.
[[nodiscard]] Result<void> check_fetch_site(const Request& request);

/// For listeners that ask for no credentials: refused where Host is not a name of this machine's loopback. A page
/// whose own name was turned to a loopback address (DNS rebinding) would be of the same site otherwise.
[[nodiscard]] Result<void> check_local_host(const Request& request);

}  // namespace headgate::http::access
