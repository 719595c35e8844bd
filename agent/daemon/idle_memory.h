// SPDX-License-Identifier: GPL-2.0-or-later
// Releases memory that the agent does not need while idle.
#pragma once

namespace headgate::daemon {

/// Returns freed heap memory to the kernel, and drops pages of the program and its libraries that were never written:
/// startup code, symbol tables. The kernel reads them back on demand, so only the pages in use remain resident.
void release_idle_memory();

}  // namespace headgate::daemon
