// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/grace_period.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace headgate::midstream {
namespace {

/// The wait if the kernel cannot be asked. No guarantee: a packet passes a hook in microseconds, unless its CPU is
/// taken away (by a hypervisor, or in a preemptible kernel), which lasts about a time slice.
constexpr std::chrono::milliseconds kLongEnough{100};

/// A packet passes a hook under rcu_read_lock() (include/linux/netfilter.h, nf_hook), and this system call is
/// synchronize_rcu() (kernel/sched/membarrier.c). But it is refused if nohz_full= is in use, and does not wait on a
/// single CPU.
bool wait_for_kernel() {
    return ::get_nprocs() > 1 && ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0;
}

}  // namespace

void wait_for_packets_under_way() {
    if (!wait_for_kernel()) std::this_thread::sleep_for(kLongEnough);
}

}  // namespace headgate::midstream
