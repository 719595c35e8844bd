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

/// Generates headgate-policy(5) from the text of the template `headgate-policy.5.in`.
[[nodiscard]] std::string policy_manual(std::string page);

/// A page of Markdown: the keys of a policy file.
[[nodiscard]] std::string policy_reference();

/// The texts of the templates `headgate.yaml.5.in` and `headgate-policy.5.in`.
struct Templates {
    std::string configuration, policy;
};

/// All documents.
[[nodiscard]] std::vector<Document> settings_documents(const Templates& templates);

}  // namespace headgate::tools
