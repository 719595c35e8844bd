// SPDX-License-Identifier: GPL-2.0-or-later
// The documents that follow from the settings. They are checked in; the target `update_documents` writes them anew, and
// unit tests hold them to what this says.
#pragma once

#include <string>
#include <vector>

namespace headgate::tools {

struct Document {
    std::string file;  ///< within the project
    std::string text;
};

/// headgate.yaml(5), in mdoc(7), of the template `headgate.yaml.5.in`.
[[nodiscard]] std::string configuration_manual(std::string page);

/// All of them. `manual_template`: what is in `headgate.yaml.5.in`.
[[nodiscard]] std::vector<Document> settings_documents(const std::string& manual_template);

}  // namespace headgate::tools
