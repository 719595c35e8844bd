// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "config/settings.h"
#include "config/settings_reader.h"
#include "config/small_file.h"

namespace headgate::config {
namespace {

namespace fs = std::filesystem;

class Loader {
  public:
    Loader() { begin_reading(configuration_); }

    void read_file(const fs::path& path) {
        configuration_.files.push_back(path);
        const auto text = read_small_file(path);
        if (!text) return find_error(text.error().message);
        read_text(*text, path.native());
    }

    void read_text(const std::string& text, std::string_view name) {
        faults_.read(text, name, settings_of(configuration_));
    }

    void find_error(std::string message) { faults_.add(std::move(message)); }

    [[nodiscard]] PartialConfiguration finish() {
        end_reading(configuration_);
        return {std::move(configuration_), faults_.verdict()};
    }

  private:
    Configuration configuration_;
    FaultList faults_;
};

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

/// Skips files whose name starts with a dot: editors create them.
std::vector<fs::path> further_files(const fs::path& folder, Loader& loader) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator file{folder, error}, end; !error && file != end; file.increment(error)) {
        const auto& path = file->path();
        if (path.extension() == ".yaml" && !path.filename().native().starts_with('.')) files.push_back(path);
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        loader.find_error(fmt::format("{}: {}", folder.native(), error.message()));
    }
    std::ranges::sort(files);
    return files;
}

Result<Configuration> whole(PartialConfiguration read) {
    return read.verdict.map([&] { return std::move(read.configuration); });
}

}  // namespace

PartialConfiguration read_configuration(const fs::path& file, WhenMissing when_missing) {
    Loader loader;
    if (when_missing == WhenMissing::Fail || is_there(file)) loader.read_file(file);
    for (const auto& further : further_files(file.parent_path() / "conf.d", loader))
        loader.read_file(further);
    return loader.finish();
}

Result<Configuration> load_configuration(const fs::path& file, WhenMissing when_missing) {
    return whole(read_configuration(file, when_missing));
}

Result<Configuration> parse_configuration(std::string_view text, std::string_view name) {
    Loader loader;
    loader.read_text(std::string{text}, name);
    return whole(loader.finish());
}

}  // namespace headgate::config
