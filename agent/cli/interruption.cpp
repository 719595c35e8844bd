// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/interruption.h"

#include <array>
#include <csignal>

namespace headgate::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};

volatile std::sig_atomic_t interrupted = 0;
int depth = 0;

void note(int /*signal*/) {
    interrupted = 1;
}

void handle_with(void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    // No SA_RESTART: a read that waits for an answer fails with EINTR.
    action.sa_flags = handler == SIG_DFL ? 0 : static_cast<int>(SA_RESETHAND);
    for (const int signal : kSignals)
        ::sigaction(signal, &action, nullptr);
}

}  // namespace

Interruption::Interruption() {
    if (depth++ != 0) return;
    interrupted = 0;
    handle_with(note);
}

Interruption::~Interruption() {
    if (--depth == 0) handle_with(SIG_DFL);
}

bool Interruption::requested() noexcept {
    return interrupted != 0;
}

}  // namespace headgate::cli
