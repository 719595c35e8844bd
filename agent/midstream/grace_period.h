// SPDX-License-Identifier: GPL-2.0-or-later
// Waits until no packet in flight uses the previous hooks, chains and rules any more.
#pragma once

namespace headgate::midstream {

/// Takes some milliseconds, more on a machine with many CPUs.
void wait_for_packets_under_way();

}  // namespace headgate::midstream
