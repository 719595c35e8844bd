// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "base/printable.h"

namespace headgate::cli {
namespace {

constexpr std::chrono::milliseconds kFirstShown{500};
constexpr std::chrono::milliseconds kBetween{100};

}  // namespace

std::optional<std::size_t> stdout_width() {
    winsize size{};
    if (::isatty(STDOUT_FILENO) == 0) return std::nullopt;
    constexpr std::size_t kUsual = 80;
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

bool stdout_has_colour() {
    const char* const no_colour = std::getenv("NO_COLOR");
    return ::isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0');
}

bool can_ask() {
    return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0;
}

bool ask(std::string_view question) {
    write_to_stderr(fmt::format("{} [y/N] ", as_printable(question)));
    std::string answer;
    if (!std::getline(std::cin, answer)) write_to_stderr("\n");  // Ctrl-C and Ctrl-D leave the cursor in the line
    return answer == "y" || answer == "Y" || answer == "yes";
}

void write_to_stderr(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void note(std::string_view message) {
    write_to_stderr(fmt::format("headgate: {}\n", as_printable(message)));
}

void warn(std::string_view message) {
    note(fmt::format("warning: {}", message));
}

Progress::Progress() : enabled_(::isatty(STDERR_FILENO) != 0), next_(std::chrono::steady_clock::now() + kFirstShown) {}

Progress::~Progress() {
    clear();
}

void Progress::show(std::string_view doing, std::uint64_t count) {
    if (!enabled_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kBetween;
    shown_ = true;
    write_to_stderr(fmt::format("\r{} {}\x1b[K", doing, count));
}

void Progress::clear() {
    if (!shown_) return;
    write_to_stderr("\r\x1b[K");
    shown_ = false;
}

}  // namespace headgate::cli
