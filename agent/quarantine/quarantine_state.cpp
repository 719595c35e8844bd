// SPDX-License-Identifier: GPL-2.0-or-later
#include "quarantine/quarantine_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "files/file_identity.h"
#include "files/file_lock.h"
#include "flow/json_fields.h"

namespace headgate::quarantine {

template <typename Members, MaybeConst<KeptEntry> Object>
void list_members(Members& members, Object& entry) {
    members.required("address", entry.prefix, parse_prefix);
    members.required("action", entry.action);
    members.required("until_ns", entry.until);
    members.required("layer", entry.layer);
    members.required("since", entry.since);
    members.required("by", entry.by);
    members.required("reason", entry.reason);
    members.required("packets_before", entry.packets_before);
    members.required("bytes_before", entry.bytes_before);
}

template <typename Members, MaybeConst<QuarantineState> Object>
void list_members(Members& members, Object& state) {
    members.required("fingerprint", state.fingerprint);
    members.required("layers", state.layers);
    members.objects("entries", state.entries);
}

std::string state_text(const QuarantineState& state) {
    fmt::memory_buffer out;
    append_json_object(out, state, JsonForm::Stored);
    return fmt::to_string(out);
}

Result<QuarantineState> parse_state(std::string_view text) {
    QuarantineState state;
    ASSIGN_OR_RETURN(const auto object, parse_json_object(text));
    RETURN_IF_ERROR(read_members(object, state, JsonForm::Stored));
    return state;
}

void pass_time(QuarantineState& state, std::chrono::nanoseconds now) {
    std::erase_if(state.entries, [&](const KeptEntry& entry) { return entry.until <= now; });
    for (auto& entry : state.entries)
        entry.left = std::chrono::ceil<std::chrono::seconds>(entry.until - now);
}

namespace {

std::filesystem::path beside(const std::filesystem::path& file, std::string_view suffix) {
    return file.native() + std::string{suffix};
}

Result<std::string> read_whole(const FileDescriptor& fd) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error(errno);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    const auto got = ::pread(fd.get(), text.data(), text.size(), 0);
    if (got < 0) return system_error(errno);
    text.resize(static_cast<std::size_t>(got));
    return text;
}

Result<void> write_whole(const FileDescriptor& fd, std::string_view text) {
    if (::ftruncate(fd.get(), 0) != 0) return system_error(errno);
    while (!text.empty()) {
        const auto written = ::write(fd.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error(errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

QuarantineFile::QuarantineFile(const std::filesystem::path& folder, std::uint64_t cookie)
    : file_(folder / fmt::format("quarantine-{}", cookie)) {}

Result<FileDescriptor> QuarantineFile::lock(std::chrono::seconds patience) const {
    RETURN_IF_ERROR(make_own_folder(file_.parent_path(), 0755));
    const auto file = beside(file_, ".lock");
    ASSIGN_OR_RETURN(auto fd, open_own_file(file, O_RDWR | O_CREAT, 0600));
    if (lock_within(fd.get(), LOCK_EX, patience) != 0) {
        return make_error(ErrorKind::Locked,
                          "another headgate has been changing the quarantine for {} s ({} is locked)", patience.count(),
                          file.native());
    }
    return fd;
}

Result<QuarantineState> QuarantineFile::read() const {
    const auto fd = open_own_file(file_, O_RDONLY, 0600);
    if (!fd && fd.error().number == ENOENT) return QuarantineState{};
    if (!fd) return tl::unexpected(fd.error());
    auto state = read_whole(*fd).and_then([](const std::string& text) { return parse_state(text); });
    if (!state) return tl::unexpected(std::move(state.error()).within(file_.native()));
    return state;
}

/// Written beside the file and renamed: readers and a killed process see the old state or the new one.
Result<void> QuarantineFile::write(const QuarantineState& state) const {
    if (state.entries.empty()) return remove_own_file(file_);
    const auto fresh = beside(file_, ".new");
    ASSIGN_OR_RETURN(const auto fd, open_own_file(fresh, O_WRONLY | O_CREAT, 0600));
    auto written = write_whole(fd, state_text(state));
    if (!written) return tl::unexpected(std::move(written.error()).within(fresh.native()));
    return as_owner_of(file_.parent_path(), [&]() -> Result<void> {
        if (::rename(fresh.c_str(), file_.c_str()) != 0) return system_error(errno, file_.native());
        return {};
    });
}

}  // namespace headgate::quarantine
