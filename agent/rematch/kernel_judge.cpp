// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/kernel_judge.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cerrno>
#include <vector>

#include "conntrack/ctnetlink_requests.h"
#include "netlink/socket.h"
#include "rematch/snapshot.h"

namespace headgate::rematch {
namespace {

using netlink::Bytes;

/// Whether conntrack's entry, in this message, began with a packet in the middle of a connection: then it accepts any
/// sequence number (nf_conntrack_proto_tcp.c, tcp_new), and either side may have begun.
bool was_picked_up(Bytes entry) {
    const Bytes tcp = bytes_in(bytes_in(entry, CTA_PROTOINFO), CTA_PROTOINFO_TCP);
    const Bytes flags = bytes_in(tcp, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL);
    return !flags.empty() && (std::to_integer<unsigned>(flags[0]) & IP_CT_TCP_FLAG_BE_LIBERAL) != 0;
}

/// The indices of flows that conntrack picked up midstream. In the calling thread's network namespace.
Result<std::vector<std::size_t>> picked_up(std::span<const Flow> flows, std::span<const std::size_t> which) {
    ASSIGN_OR_RETURN(auto socket, netlink::Socket::open());
    std::vector<std::byte> buffer(netlink::kDumpBuffer);
    std::vector<std::size_t> found;
    conntrack::RequestBatch request;
    for (const auto index : which) {
        request.clear();
        request.add_lookup(flows[index], static_cast<std::uint32_t>(index));
        RETURN_IF_ERROR(socket.send(request.bytes()));
        const bool complete = netlink::receive_answers(socket, buffer, [&](const netlink::Message& message) {
            if (!message.is(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW)) return;
            if (message.payload.size() < sizeof(nfgenmsg)) return;
            if (was_picked_up(message.payload.subspan(sizeof(nfgenmsg)))) found.push_back(index);
        });
        if (!complete) return failed("conntrack's answers were lost");
    }
    return found;
}

/// The same connection, begun by the other side.
Question reversed(const Flow& flow) {
    auto question = question_of(flow);
    std::swap(question.original, question.reply);
    return question;
}

}  // namespace

std::unique_ptr<KernelJudge> KernelJudge::open(netlink::NetworkNamespace where) {
    return std::unique_ptr<KernelJudge>{new KernelJudge{std::move(where)}};
}

std::optional<pid_t> KernelJudge::process() const {
    return process_ ? std::optional{process_->process()} : std::nullopt;
}

Result<JudgedRuleset> KernelJudge::prepare(const std::optional<std::string>& candidate) {
    if (candidate && candidate->size() > kLongestCandidate) {
        return make_error(ErrorKind::TooLarge, "the candidate has {} bytes; {} are permitted", candidate->size(),
                          kLongestCandidate);
    }
    process_.reset();
    texts_.clear();
    listed_.clear();
    Preparation preparation;
    preparation.candidate = candidate;
    ASSIGN_OR_RETURN(preparation.snapshot, namespace_.run([] { return read_snapshot(); }));
    ASSIGN_OR_RETURN(auto process, JudgeProcess::start());
    ASSIGN_OR_RETURN(const auto answer,
                     process.exchange(MessageType::Prepare, pack_preparation(preparation), MessageType::Prepared));
    ASSIGN_OR_RETURN(const auto warnings, unpack_texts(answer));
    process_.emplace(std::move(process));
    source_ = candidate ? RulesetSource::Candidate : RulesetSource::InForce;
    JudgedRuleset judged{source_, preparation.snapshot.generation, std::move(preparation.snapshot.warnings)};
    judged.warnings.insert(judged.warnings.end(), warnings.begin(), warnings.end());
    return judged;
}

Result<std::vector<FlowVerdict>> KernelJudge::ask(std::span<const Question> questions) {
    ASSIGN_OR_RETURN(const auto answer,
                     process_->exchange(MessageType::Ask, pack_questions(questions), MessageType::Verdicts));
    ASSIGN_OR_RETURN(auto verdicts, unpack_verdicts(answer));
    if (verdicts.size() != questions.size()) return make_error(ErrorKind::Damaged, "the judge left out flows");
    return verdicts;
}

Result<std::vector<FlowVerdict>> KernelJudge::judge(std::span<const Flow> flows) {
    if (!process_) return failed("the judge was not prepared");
    std::vector<Question> questions;
    questions.reserve(flows.size());
    for (const auto& flow : flows)
        questions.push_back(question_of(flow));
    ASSIGN_OR_RETURN(auto verdicts, ask(questions));
    RETURN_IF_ERROR(doubt_reversed(flows, verdicts));
    RETURN_IF_ERROR(add_texts(verdicts));
    return verdicts;
}

/// A connection that was picked up midstream is refused only if it is, whichever side began it.
Result<void> KernelJudge::doubt_reversed(std::span<const Flow> flows, std::vector<FlowVerdict>& verdicts) {
    std::vector<std::size_t> refused;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const bool tcp = flows[i].original.protocol == Protocol::Tcp;
        if (tcp && verdicts[i].result == VerdictResult::Refused) refused.push_back(i);
    }
    if (refused.empty()) return {};
    ASSIGN_OR_RETURN(const auto doubtful, namespace_.run([&] { return picked_up(flows, refused); }));
    if (doubtful.empty()) return {};
    std::vector<Question> questions;
    questions.reserve(doubtful.size());
    for (const auto index : doubtful)
        questions.push_back(reversed(flows[index]));
    ASSIGN_OR_RETURN(const auto others, ask(questions));
    for (std::size_t i = 0; i < doubtful.size(); ++i) {
        auto& verdict = verdicts[doubtful[i]];
        if (others[i].result == VerdictResult::Refused) continue;
        auto rule = std::move(verdict.rule);
        verdict = {};
        verdict.rule = std::move(rule);
        verdict.reason = "depends on which side began it: it was picked up midstream";
    }
    return {};
}

/// Of rules in force; the judge itself lists those of a candidate.
Result<void> KernelJudge::add_texts(std::vector<FlowVerdict>& verdicts) {
    if (source_ == RulesetSource::Candidate) return {};
    for (auto& verdict : verdicts) {
        if (!verdict.rule || !verdict.rule->handle || !verdict.rule->text.empty()) continue;
        auto& rule = *verdict.rule;
        if (listed_.insert({rule.family, rule.table, rule.chain}).second) {
            RETURN_IF_ERROR(namespace_.run([&]() -> Result<void> {
                texts_.merge(list_rules_of_chain(rule.family, rule.table, rule.chain));
                return {};
            }));
        }
        const auto text = texts_.find({rule.family, rule.table, *rule.handle});
        if (text != texts_.end()) rule.text = text->second;
    }
    return {};
}

Result<std::uint32_t> KernelJudge::generation_now() {
    return namespace_.run([] { return read_generation(); });
}

}  // namespace headgate::rematch
