// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/change_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "midstream/ruleset_text.h"

namespace headgate::midstream {

std::uint32_t free_generation(const std::vector<TableChain>& chains) {
    auto generation = kFirstGeneration;
    const auto is_of_generation = [&](const TableChain& chain) {
        return chain.name.ends_with(chain_name("", generation));
    };
    while (std::ranges::any_of(chains, is_of_generation))
        ++generation;
    return generation;
}

std::string addition_text(const StreamExceptionPolicy& policy, const std::vector<TableChain>& chains) {
    std::string text;
    // A chain's comment cannot be changed (nf_tables_api.c, nf_tables_updchain).
    if (std::ranges::find(chains, kNoteChain, &TableChain::name) != chains.end()) {
        text = fmt::format("flush chain inet {0} {1}\ndelete chain inet {0} {1}\n", kTable, kNoteChain);
    }
    return text + fmt::format("table inet {} {{\n{}}}\n", kTable, ruleset_text(policy, free_generation(chains)));
}

std::string removal_text(const std::vector<TableChain>& chains, const std::vector<std::string>& sets) {
    std::string flushes;
    std::string deletions;
    for (const auto& chain : chains) {
        if (chain.name == kNoteChain) continue;
        flushes += fmt::format("flush chain inet {} {}\n", kTable, chain.name);
        deletions += fmt::format("delete chain inet {} {}\n", kTable, chain.name);
    }
    for (const auto& set : sets)
        deletions += fmt::format("delete set inet {} {}\n", kTable, set);
    return flushes + deletions;
}

}  // namespace headgate::midstream
