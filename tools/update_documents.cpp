// SPDX-License-Identifier: GPL-2.0-or-later
// update_documents PROJECT: writes the documents derived from the settings into the source tree.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tools/documents.h"

int main(int argc, char** argv) {
    if (argc != 2) return EXIT_FAILURE;
    const std::string project = argv[1];
    std::ifstream manual{project + "/tools/headgate.yaml.5.in"};
    const std::string manual_template{std::istreambuf_iterator<char>{manual}, {}};
    for (const auto& document : headgate::tools::settings_documents(manual_template)) {
        std::ofstream file{project + "/" + document.file};
        if (!(file << document.text << std::flush)) return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
