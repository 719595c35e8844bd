#include "operations/background_task.h"

#include <system_error>
#include <utility>

namespace headgate::operations {

BackgroundTask::~BackgroundTask() {
    stop();
}

Result<void> BackgroundTask::begin(Work work) {
    const std::lock_guard lock{mutex_};
    if (is_stopped_ || is_running_.exchange(true)) return {};
    try {
        // The one before has ended, or is about to: this waits for it.
        thread_ = std::jthread{[this, work = std::move(work)](const std::stop_token& stop) {
            work(stop);
            is_running_ = false;
        }};
        return {};
    } catch (const std::system_error& thrown) {
        is_running_ = false;
        return system_error(thrown.code().value(), "a thread for work in the background");
    }
}

void BackgroundTask::stop() {
    const std::lock_guard lock{mutex_};
    is_stopped_ = true;
    thread_.request_stop();
}

}  // namespace headgate::operations
