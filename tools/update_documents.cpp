// SPDX-License-Identifier: GPL-2.0-or-later
// update_documents PROJECT: writes the documents derived from the settings into the source tree.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tools/documents.h"

int main(int argc, char** argv) {
    if (argc != 2) return EXIT_FAILURE;
    const std::string project = argv[1];
    const auto read = [&](const std::string& name) {
        std::ifstream file{project + "/tools/" + name};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    const headgate::tools::Templates templates{read("headgate.yaml.5.in"), read("headgate-policy.5.in")};
    for (const auto& document : headgate::tools::settings_documents(templates)) {
        std::ofstream file{project + "/" + document.file};
        if (!(file << document.text << std::flush)) return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
