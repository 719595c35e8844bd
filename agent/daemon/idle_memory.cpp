// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/idle_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace headgate::daemon {
namespace {

/// A segment that was never writable is identical to its file and can be read from there again (madvise(2),
/// MADV_DONTNEED: a private file mapping is repopulated from the file). Segments with applied relocations were writable
/// and are marked PF_W.
int release_unwritten(dl_phdr_info* object, std::size_t /*size*/, void* /*nothing*/) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const auto begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
        const auto end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader reports addresses as integers
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void release_idle_memory() {
    ::malloc_trim(0);
    ::dl_iterate_phdr(release_unwritten, nullptr);
}

}  // namespace headgate::daemon
