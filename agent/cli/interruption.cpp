// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/interruption.h"

#include <array>
#include <csignal>

namespace headgate::cli {
namespace {

constexpr std::array kSignals{SIGHUP, SIGINT, SIGTERM};

volatile std::sig_atomic_t interrupted = 0;
int depth = 0;
std::array<struct sigaction, kSignals.size()> before{};

void note_signal(int /*signal*/) {
    interrupted = 1;
}

void handle_signals() {
    struct sigaction noting {};
    noting.sa_handler = note_signal;
    // No SA_RESTART: a read that waits for an answer fails with EINTR.
    noting.sa_flags = static_cast<int>(SA_RESETHAND);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], &noting, &before[i]);
        const bool is_nohup = kSignals[i] == SIGHUP && before[i].sa_handler == SIG_IGN;  // nohup(1)
        if (is_nohup) ::sigaction(SIGHUP, &before[i], nullptr);
    }
}

void restore_signals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i)
        ::sigaction(kSignals[i], &before[i], nullptr);
}

}  // namespace

Interruption::Interruption() {
    if (depth++ != 0) return;
    interrupted = 0;
    handle_signals();
}

Interruption::~Interruption() {
    if (--depth == 0) restore_signals();
}

bool Interruption::requested() noexcept {
    return interrupted != 0;
}

}  // namespace headgate::cli
