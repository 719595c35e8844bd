// Everything that can be asked of the agent over HTTP.
#pragma once

#include "gateway/gateway.h"
#include "http/router.h"

namespace headgate::http {

/// The one table. The gateway outlives it.
[[nodiscard]] Router make_router(gateway::Gateway& gateway);

}  // namespace headgate::http
