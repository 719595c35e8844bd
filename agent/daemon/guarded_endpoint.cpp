// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/guarded_endpoint.h"

#include "conntrack/table_sysctls.h"
#include "daemon/log.h"
#include "midstream/policy_library.h"

namespace headgate::daemon {
namespace {

using namespace std::chrono_literals;

/// Minimum time between two checks of the rules: another process may change the ruleset repeatedly, or undo what is put
/// in force. Such a conflict must not occupy a CPU.
constexpr EventLoop::Clock::duration kPause = 500ms;
/// Another process's change of the rules that takes longer than this is logged.
constexpr EventLoop::Clock::duration kLongChange = 10s;
/// Time until the next check after a failure.
constexpr EventLoop::Clock::duration kRetry = 30s;

}  // namespace

void GuardedEndpoint::start() {
    stop();
    const auto seen_to = see_to_everything();
    is_started_ = seen_to.has_value();
    fault_.note(endpoint_->name_for_people(), seen_to ? std::string{} : seen_to.error().message);
}

Result<void> GuardedEndpoint::see_to_everything() {
    ASSIGN_OR_RETURN(const auto where, endpoint_->open_namespace());
    ASSIGN_OR_RETURN(const auto cookie, where.cookie());
    cookie_ = cookie;
    // The rules come first, even if the rest fails: a rule that uses conntrack also loads the module.
    auto kept = keep_rules(where);
    auto recording = see_to_recording(where);
    return kept ? recording : kept;
}

bool GuardedEndpoint::is_current() const {
    if (!is_started_) return false;
    const auto where = endpoint_->open_namespace();
    if (!where) return false;
    const auto cookie = where->cookie();
    return cookie && *cookie == cookie_;
}

Result<void> GuardedEndpoint::see_to_recording(const netlink::NetworkNamespace& where) {
    const auto now = SystemClock{}.up();
    ASSIGN_OR_RETURN(const auto report, conntrack::ensure_recording(where));
    for (const auto& each : report.all()) {
        if (each.outcome == conntrack::SysctlOutcome::WasRight) continue;
        log(each.outcome == conntrack::SysctlOutcome::Set ? Severity::Info : Severity::Warning,
            fmt::format("{}: {}", endpoint_->name_for_people(), conntrack::describe(each)));
    }
    if (report.timestamps.outcome != conntrack::SysctlOutcome::NotSet) {
        using Before = gateway::TimestampHistory::Before;
        const auto before = report.timestamps_were_on() ? Before::On : Before::Off;
        endpoint_->history()->timestamps.note(where, now, before);
    }
    return {};
}

/// A policy that cannot be chosen does not keep the quarantine from being restored.
Result<void> GuardedEndpoint::keep_rules(const netlink::NetworkNamespace& where) {
    // No waiting: if another process holds a lock, this endpoint tries again later, without delaying the others.
    ASSIGN_OR_RETURN(quarantine_, endpoint_->open_quarantine(0s));
    ASSIGN_OR_RETURN(auto watch, midstream::RulesetWatch::open(where));
    watch_ = std::move(watch);
    auto chosen = choose_policy();
    watching_ = loop_.watch(watch_->fd(), [this] { look(); });
    keep_now();
    return chosen;
}

Result<void> GuardedEndpoint::choose_policy() {
    ruleset_.reset();
    policy_.reset();
    if (endpoint_->configured_policy() == config::kNoPolicy) return {};
    if (const auto name = endpoint_->policy_to_keep()) {
        ASSIGN_OR_RETURN(policy_, midstream::find_policy(*name, midstream::policy_folders()));
    }
    ASSIGN_OR_RETURN(ruleset_, endpoint_->open_ruleset(0s));
    return {};
}

void GuardedEndpoint::stop() {
    if (watching_) loop_.cancel(*watching_);
    if (pause_) loop_.cancel(*pause_);
    watching_.reset();
    pause_.reset();
    look_again_ = false;
}

void GuardedEndpoint::look() {
    const auto changed = watch_->changed();
    metrics_.count_ruleset_losses(watch_->take_losses());
    if (changed && !*changed) return;
    if (pause_) {
        look_again_ = true;
    } else {
        keep_now();
    }
}

void GuardedEndpoint::keep_now() {
    bool is_busy = false;
    bool has_failed = false;
    for (const auto& kept : {keep_quarantine(), keep_policy()}) {
        if (kept) continue;
        const bool is_locked = kept.error().kind == ErrorKind::Locked;
        (is_locked ? is_busy : has_failed) = true;
        if (!is_locked) log_error("{}: {}", endpoint_->name_for_people(), kept.error().message);
    }
    if (is_busy) {
        note_busy();
    } else {
        busy_since_.reset();
    }
    look_again_ = is_busy || has_failed;
    pause_ = loop_.after(has_failed ? kRetry : kPause, [this] {
        pause_.reset();
        if (look_again_) keep_now();
    });
}

Result<void> GuardedEndpoint::keep_quarantine() {
    auto restored = quarantine_->restore();
    if (!restored) return tl::unexpected(std::move(restored.error()).within("quarantine"));
    if (*restored == Restoration::NotNeeded) return {};
    ASSIGN_OR_RETURN(const auto entries, quarantine_->entries());
    note_restoration(entries);
    return {};
}

Result<void> GuardedEndpoint::keep_policy() {
    if (!ruleset_) return {};
    // Read the policy file again, as `policy apply` does.
    if (policy_) {
        auto policy = midstream::find_policy(policy_->name, midstream::policy_folders());
        if (policy) policy_ = std::move(*policy);
    }
    ASSIGN_OR_RETURN(const auto kept, PolicyReconciler{*ruleset_, policy_}.keep());
    if (kept.found != PolicyFinding::InForce) note_change(kept);
    return {};
}

void GuardedEndpoint::note_restoration(const std::vector<QuarantineEntry>& entries) {
    operations::QuarantineChange change;
    change.step = operations::QuarantineStep::Restore;
    change.endpoint = endpoint_->names();
    change.caller.face = "agent";
    for (const auto& entry : entries)
        change.prefixes.push_back(entry.prefix);
    log_warning("{}: another process had removed or changed the quarantine (nft flush ruleset?): {} {} in force again",
                endpoint_->name_for_people(), entries.size(), entries.size() == 1 ? "entry is" : "entries are");
    if (const auto recorded = audit_.record(change, {}); !recorded) log_error("{}", recorded.error().message);
}

void GuardedEndpoint::note_change(const Kept& kept) {
    log_warning("{}: {}", endpoint_->name_for_people(), describe(kept));
    const auto change = change_of(kept, endpoint_->names());
    if (const auto recorded = audit_.record(change, {}); !recorded) log_error("{}", recorded.error().message);
}

/// Other processes change the rules within milliseconds. One that does not finish, since it was stopped, is logged
/// once.
void GuardedEndpoint::note_busy() {
    const auto now = EventLoop::Clock::now();
    if (!busy_since_) busy_since_ = Busy{now};
    if (busy_since_->is_logged || now < busy_since_->begin + kLongChange) return;
    busy_since_->is_logged = true;
    log_warning("{}: another headgate has been changing the rules for {} s: they cannot be kept in force meanwhile",
                endpoint_->name_for_people(), std::chrono::ceil<std::chrono::seconds>(kLongChange).count());
}

}  // namespace headgate::daemon
