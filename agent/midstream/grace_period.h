// The time after which no packet is under way any more that knows hooks, chains and rules as they were before.
#pragma once

namespace headgate::midstream {

/// Some milliseconds, more on a machine of many processors.
void wait_for_packets_under_way();

}  // namespace headgate::midstream
