// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/compound_key.h"

namespace headgate {
namespace {

void append_part(std::string& key, std::string_view part) {
    for (const char c : part) {
        if (c == ':') {
            key.append("%3A");
        } else if (c == '%') {
            key.append("%25");
        } else {
            key.push_back(c);
        }
    }
}

}  // namespace

std::string compound_key(std::initializer_list<std::string_view> parts) {
    std::string key;
    for (const auto& part : parts) {
        if (&part != parts.begin()) key.push_back(':');
        append_part(key, part);
    }
    return key;
}

}  // namespace headgate
