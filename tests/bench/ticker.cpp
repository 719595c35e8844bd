// SPDX-License-Identifier: GPL-2.0-or-later
// ticker CPU: wakes up every millisecond on that CPU, at real-time priority, until terminated, and prints the maximum
// delay in microseconds. Only the kernel itself can delay it, as it would delay a packet.
#include <sched.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

constexpr long kMillisecond = 1'000'000;
constexpr long kSecond = 1'000'000'000;

volatile std::sig_atomic_t terminated = 0;

long nanoseconds_since(const timespec& then) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - then.tv_sec) * kSecond + now.tv_nsec - then.tv_nsec;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    std::signal(SIGTERM, [](int) { terminated = 1; });
    cpu_set_t cpu;
    CPU_ZERO(&cpu);
    CPU_SET(std::strtoul(argv[1], nullptr, 10), &cpu);
    sched_param priority{};
    priority.sched_priority = 50;
    if (sched_setaffinity(0, sizeof cpu, &cpu) != 0 || sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
        std::perror("ticker");
        return 1;
    }
    timespec next{};
    clock_gettime(CLOCK_MONOTONIC, &next);
    long latest = 0;
    while (terminated == 0) {
        next.tv_nsec += kMillisecond;
        if (next.tv_nsec >= kSecond) {
            next.tv_nsec -= kSecond;
            ++next.tv_sec;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr);
        latest = std::max(latest, nanoseconds_since(next));
    }
    std::printf("%ld\n", latest / 1000);
    return 0;
}
