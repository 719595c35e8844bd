// SPDX-License-Identifier: GPL-2.0-or-later
#include "threads/background_task.h"

#include <utility>

#include "threads/start_thread.h"

namespace headgate {

BackgroundTask::~BackgroundTask() {
    stop();
}

Result<void> BackgroundTask::begin(Work work) {
    const std::lock_guard lock{mutex_};
    if (is_stopped_ || is_running_.exchange(true)) return {};
    const auto run = [this, work = std::move(work)](const std::stop_token& stop) {
        work(stop);
        is_running_ = false;
    };
    const auto fail = [this](const Error& fault) {
        is_running_ = false;
        on_fault_(fault);
    };
    auto started = start_thread("work in the background", run, fail);
    if (!started) {
        is_running_ = false;
        return tl::unexpected(std::move(started.error()));
    }
    thread_ = std::move(*started);  // joins the previous thread, which has ended or is about to
    return {};
}

void BackgroundTask::stop() {
    const std::lock_guard lock{mutex_};
    is_stopped_ = true;
    thread_.request_stop();
}

}  // namespace headgate
