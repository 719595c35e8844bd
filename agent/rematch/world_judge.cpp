// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/world_judge.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if_arp.h>

#include <algorithm>
#include <climits>
#include <numeric>
#include <set>
#include <string_view>

#include "rematch/candidate.h"
#include "rematch/world.h"

namespace headgate::rematch {
namespace {

/// Questions whose probes are under way together: keeps memory constant.
constexpr std::size_t kWindow = 4096;

/// Answers that are remembered, 200 bytes each.
constexpr std::size_t kMostAnswers = 100'000;

/// Questions of a pass that is repeated because reports were lost.
constexpr std::size_t kSmallWindow = 16;

constexpr std::size_t kMostInputs = 8;

std::set<std::string> links_named_by(const RulesetBytecode& ruleset, const GatewayNetwork& network, bool candidate) {
    std::set<std::string> names;
    for (const auto& chain : ruleset.chains) {
        if (chain.base) names.insert(chain.base->devices.begin(), chain.base->devices.end());
    }
    for (const auto& flowtable : ruleset.flowtables) {
        const auto hook = bytes_in(flowtable.attributes, NFTA_FLOWTABLE_HOOK);
        netlink::for_each_attribute(bytes_in(hook, NFTA_FLOWTABLE_HOOK_DEVS),
                                    [&](const auto& device) { names.insert(text_of(device.payload)); });
    }
    if (candidate) {  // which may name any
        for (const auto& [index, link] : network.links)
            names.insert(link.name);
    }
    return names;
}

bool is_on(const GatewayNetwork& network, const char* sysctl) {
    const auto found = network.sysctls.find(sysctl);
    return found != network.sysctls.end() && found->second != "0";
}

/// Whether routing may depend on ports: by rules with ports, or where several routes are as good.
bool routes_by_ports(const GatewayNetwork& network) {
    if (is_on(network, "ipv4/fib_multipath_hash_policy") || is_on(network, "ipv6/fib_multipath_hash_policy"))
        return true;
    return std::ranges::any_of(network.rules, [](const ByteString& rule) {
        const auto attributes = netlink::Bytes{rule}.subspan(std::min(sizeof(fib_rule_hdr), rule.size()));
        return has(attributes, FRA_SPORT_RANGE);
    });
}

/// br_netfilter passes what a bridge forwards to the rules for routed packets.
bool rules_see_bridged_packets(const GatewayNetwork& network) {
    const auto is_bridge = [](const auto& entry) { return entry.second.kind == "bridge"; };
    return std::ranges::any_of(network.links, is_bridge) &&
           (is_on(network, "bridge/bridge-nf-call-iptables") || is_on(network, "bridge/bridge-nf-call-ip6tables"));
}

/// Whether packets can come in by several links whose filter against forged sources allows another way back.
bool may_be_asymmetric(const GatewayNetwork& network) {
    const auto value_of = [&](const std::string& link) {
        const auto found = network.sysctls.find(fmt::format("ipv4/conf/{}/rp_filter", link));
        return found == network.sysctls.end() ? std::string{"0"} : found->second;
    };
    const auto common = value_of("all");
    return std::ranges::count_if(network.links, [&](const auto& entry) {
               const auto& link = entry.second;
               return link.routes && link.type != ARPHRD_LOOPBACK && std::max(common, value_of(link.name)) != "1";
           }) > 1;
}

bool has_other_link_types(const GatewayNetwork& network) {
    return std::ranges::any_of(network.links, [](const auto& entry) {
        const auto& link = entry.second;
        return link.routes && link.type != ARPHRD_ETHER && link.type != ARPHRD_LOOPBACK;
    });
}

constexpr std::string_view kInputLink = "the link by which it came";

FlowVerdict undecided_by(std::string_view input, std::optional<RuleReference> rule) {
    FlowVerdict verdict;
    verdict.rule = std::move(rule);
    verdict.reason = fmt::format("depends on {}", input);
    return verdict;
}

bool is_same(const FlowVerdict& left, const FlowVerdict& right) {
    return left.result == right.result && left.then == right.then;
}

std::vector<std::size_t> indices_where(std::size_t count, const std::function<bool(std::size_t)>& condition) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < count; ++i) {
        if (condition(i)) indices.push_back(i);
    }
    return indices;
}

/// What drops packets behind the place where probes are known to be accepted.
std::string later_chains(const RulesetBytecode& ruleset) {
    for (const auto& chain : ruleset.chains) {
        if (!chain.base) continue;
        const auto hook = chain.base->hook;
        if (chain.family == NFPROTO_BRIDGE) return "tables of family bridge are not judged";
        if (chain.family == NFPROTO_NETDEV && hook == NF_NETDEV_EGRESS) return "egress chains are not judged";
        const bool inet = chain.family == NFPROTO_INET || chain.family == NFPROTO_IPV4 || chain.family == NFPROTO_IPV6;
        if (inet && (hook == NF_INET_LOCAL_IN || hook == NF_INET_POST_ROUTING) && chain.base->priority >= INT_MAX - 1) {
            return fmt::format("chain {} is the last of all", chain.name);
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<WorldJudge>> WorldJudge::open(const Preparation& preparation, int receive_room) {
    const auto& snapshot = preparation.snapshot;
    std::unique_ptr<WorldJudge> judge{new WorldJudge};
    ASSIGN_OR_RETURN(const auto network, parse_network(snapshot.routing, snapshot.sysctls));
    ASSIGN_OR_RETURN(judge->ruleset_, parse_ruleset(snapshot.nftables));
    const auto named = links_named_by(judge->ruleset_, network, preparation.candidate.has_value());
    ASSIGN_OR_RETURN(const auto faults, build_world(network, named));
    if (preparation.candidate) {
        ASSIGN_OR_RETURN(judge->ruleset_, apply_candidate(judge->ruleset_, *preparation.candidate));
    }
    judge->instrumented_ = instrument(judge->ruleset_, has_other_link_types(network));
    RETURN_IF_ERROR(load_instrumented(judge->ruleset_, judge->instrumented_, kSentinelLink));
    ASSIGN_OR_RETURN(judge->prober_, Prober::open(network, receive_room));
    judge->asks_source_ports_ = judge->instrumented_.reads_source_ports || routes_by_ports(network);
    judge->note_blind_spots(network, snapshot, faults);
    return judge;
}

void WorldJudge::note_blind_spots(const GatewayNetwork& network, const Snapshot& snapshot,
                                  const std::vector<std::string>& faults) {
    if (!faults.empty()) hides_everything_ = faults.front();
    warnings_ = faults;
    if (may_be_asymmetric(network)) {
        warnings_.emplace_back(
            "a packet is taken to arrive by the link of the route back to its source: rp_filter allows others");
    }
    if (rules_see_bridged_packets(network)) {
        warnings_.emplace_back("packets that a bridge forwards are judged as if they were routed");
    }
    hides_acceptance_ = later_chains(ruleset_);
    for (const auto& [index, link] : network.links) {
        if (link.kind == "vrf") hides_everything_ = "VRFs are not judged";
    }
    const auto& legacy = snapshot.legacy_tables;
    if (legacy.empty()) return;
    warnings_.emplace_back("rules of legacy iptables are not judged");
    hides_acceptance_ = warnings_.back();
    for (const auto* changing : {"nat", "mangle", "raw"}) {
        if (legacy.find(changing) != std::string::npos) hides_everything_ = warnings_.back();
    }
}

Result<std::vector<FlowVerdict>> WorldJudge::judge(std::span<const Question> questions) {
    std::vector<FlowVerdict> verdicts;
    if (!hides_everything_.empty()) {
        verdicts.resize(questions.size());
        for (auto& verdict : verdicts)
            verdict.reason = hides_everything_;
        return verdicts;
    }
    verdicts.reserve(questions.size());
    for (auto rest = questions; !rest.empty();) {
        const auto window = rest.first(std::min(kWindow, rest.size()));
        rest = rest.subspan(window.size());
        RETURN_IF_ERROR(judge_window(window, verdicts));
    }
    if (hides_acceptance_.empty()) return verdicts;
    for (auto& verdict : verdicts) {
        if (verdict.result != VerdictResult::Allowed && verdict.result != VerdictResult::Translated) continue;
        verdict = {};
        verdict.reason = hides_acceptance_;
    }
    return verdicts;
}

/// Asks reliably: where reports are lost, again in small portions; what is lost then, too, stays unknown.
Result<void> WorldJudge::ask(std::span<const Question> questions, std::span<const std::size_t> which,
                             const PassOptions& options, std::span<Observation> seen) {
    if (which.empty()) return {};
    ASSIGN_OR_RETURN(const auto loss, prober_->ask(questions, which, options, seen));
    if (loss == Loss::None) return {};
    for (auto rest = which; !rest.empty();) {
        const auto portion = rest.first(std::min(kSmallWindow, rest.size()));
        rest = rest.subspan(portion.size());
        ASSIGN_OR_RETURN(const auto still, prober_->ask(questions, portion, options, seen));
        if (still == Loss::None) continue;
        for (const auto index : portion)
            seen[index].fault = "reports of the kernel were lost";
    }
    return {};
}

/// First what is accepted, which is reported at the end of its way alone; then the whole way of the rest.
Result<std::vector<Observation>> WorldJudge::observe(std::span<const Question> questions) {
    std::vector<Observation> seen(questions.size());
    std::vector<std::size_t> all(questions.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    RETURN_IF_ERROR(ask(questions, all, {}, seen));
    const auto silent = indices_where(
        questions.size(), [&](std::size_t i) { return seen[i].fault.empty() && !seen[i].arrived && !seen[i].drop; });
    PassOptions traced;
    traced.kind = ProbeKind::Traced;
    RETURN_IF_ERROR(ask(questions, silent, traced, seen));
    return seen;
}

/// What of a question an answer depends on: most rules do not read the port that the client's system chose.
std::string WorldJudge::key_of(Question question) const {
    if (!asks_source_ports_) {
        for (auto* const tuple : {&question.original, &question.reply})
            tuple->icmp_id = 0;
        question.original.source_port = 0;
        question.reply.destination_port = 0;
    }
    const auto packed = pack_questions(std::span{&question, 1});
    return {reinterpret_cast<const char*>(packed.data()), packed.size()};
}

/// Questions with the same key are asked once.
Result<void> WorldJudge::judge_window(std::span<const Question> questions, std::vector<FlowVerdict>& verdicts) {
    if (answers_.size() + questions.size() > kMostAnswers) answers_.clear();
    std::vector<Question> asked;
    std::vector<FlowVerdict*> unanswered;
    std::vector<const FlowVerdict*> answers;
    for (const auto& question : questions) {
        const auto [answer, is_new] = answers_.try_emplace(key_of(question));
        answers.push_back(&answer->second);
        if (!is_new) continue;
        asked.push_back(question);
        unanswered.push_back(&answer->second);
    }
    auto judged = judge_distinct(asked);
    if (!judged) {
        answers_.clear();
        return tl::unexpected(std::move(judged.error()));
    }
    for (std::size_t i = 0; i < unanswered.size(); ++i)
        *unanswered[i] = std::move((*judged)[i]);
    for (const auto* const answer : answers)
        verdicts.push_back(*answer);
    return {};
}

Result<std::vector<FlowVerdict>> WorldJudge::judge_distinct(std::span<const Question> questions) {
    ASSIGN_OR_RETURN(const auto seen, observe(questions));
    std::vector<FlowVerdict> concluded;
    std::vector<std::size_t> marked;
    for (std::size_t i = 0; i < questions.size(); ++i) {
        auto conclusion = conclude(questions[i], seen[i], MarkWorld::Unmarked, judged_by());
        if (conclusion.mark_matters) marked.push_back(i);
        concluded.push_back(std::move(conclusion.verdict));
    }
    PassOptions other;
    other.kind = ProbeKind::Traced;
    other.marks = MarkWorld::Marked;
    RETURN_IF_ERROR(compare_world(questions, marked, other, "ct mark", concluded));
    other.marks = MarkWorld::Unmarked;
    for (other.input = 1; other.input < kMostInputs; ++other.input) {
        const auto several =
            indices_where(questions.size(), [&](std::size_t i) { return seen[i].inputs > other.input; });
        RETURN_IF_ERROR(compare_world(questions, several, other, kInputLink, concluded));
    }
    for (std::size_t i = 0; i < questions.size(); ++i) {
        if (seen[i].inputs > kMostInputs) concluded[i] = undecided_by(kInputLink, concluded[i].rule);
    }
    return concluded;
}

/// Makes verdicts unknown that another possible input would change.
Result<void> WorldJudge::compare_world(std::span<const Question> questions, std::span<const std::size_t> which,
                                       const PassOptions& options, std::string_view difference,
                                       std::span<FlowVerdict> verdicts) {
    std::vector<Observation> seen(questions.size());
    RETURN_IF_ERROR(ask(questions, which, options, seen));
    for (const auto i : which) {
        auto& verdict = verdicts[i];
        if (verdict.result == VerdictResult::Unknown) continue;
        const auto other = conclude(questions[i], seen[i], options.marks, judged_by()).verdict;
        if (is_same(verdict, other)) continue;
        verdict = undecided_by(difference, verdict.rule ? verdict.rule : other.rule);
    }
    return {};
}

}  // namespace headgate::rematch
