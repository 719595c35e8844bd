// What the agent does not need while nobody asks for anything.
#pragma once

namespace headgate::daemon {

/// Gives memory back that was freed, and lets go of the pages of programs and libraries that nothing has written to:
/// code of the start, symbol tables. The kernel brings those back that are needed again. What is left is what the
/// agent really uses.
void release_idle_memory();

}  // namespace headgate::daemon
