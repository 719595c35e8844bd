// SPDX-License-Identifier: GPL-2.0-or-later
// Generates the documents that are derived from the settings. They are checked in; the target `update_documents`
// rewrites them, and unit tests compare them with the output of these functions.
#pragma once

#include <string>
#include <vector>

namespace headgate::tools {

struct Document {
    std::string file;  ///< within the project
    std::string text;
};

/// Generates headgate.yaml(5), in mdoc(7), from the text of the template `headgate.yaml.5.in`.
[[nodiscard]] std::string configuration_manual(std::string page);

/// All documents. `manual_template`: the text of `headgate.yaml.5.in`.
[[nodiscard]] std::vector<Document> settings_documents(const std::string& manual_template);

}  // namespace headgate::tools
