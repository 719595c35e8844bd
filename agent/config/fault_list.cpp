// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/fault_list.h"

#include <fmt/format.h>

#include "base/printable.h"
#include "config/yaml_tree.h"

namespace headgate::config {

void FaultList::read(const std::string& text, std::string_view name, const SettingMap& settings, Quoting quoting) {
    const auto root = parse_yaml_tree(text, name);
    if (!root) return add(root.error().message);
    for (const auto& fault : read_settings(*root, settings, quoting))
        add(fmt::format("{}:{}: {}", name, fault.line, fault.text));
}

void FaultList::add(std::string message) {
    faults_.push_back(to_one_line(std::move(message)));
}

Result<void> FaultList::verdict() const {
    if (faults_.empty()) return {};
    if (faults_.size() <= kMostErrors) return invalid("{}", fmt::join(faults_, "\n"));
    return invalid("{}\n... and {} more", fmt::join(faults_.begin(), faults_.begin() + kMostErrors, "\n"),
                   faults_.size() - kMostErrors);
}

}  // namespace headgate::config
