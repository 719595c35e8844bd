// SPDX-License-Identifier: GPL-2.0-or-later
// One operation: its flows, below a short account of it; progress, and follow-up actions.

import {ask, follow, query} from "../api.js";
import {factLine, h, notice, table} from "../dom.js";
import {bytes, count, flushed, kind, place, rule, rules, scope, shortId, status, time, who} from "../format.js";
import {FlowView} from "../flow_view.js";
import {kindOf, onlyLooks} from "../kinds.js";
import {blocked} from "../policy_words.js";

export const title = ({rest: [id = ""]}) => `Operation ${shortId(id)}`;

const isOver = operation => operation.status !== "IN_PROGRESS";

function resultOf(operation) {
    const {counts} = operation;
    const {hasOutcomes, changesFlows} = kindOf(operation);
    return factLine([
        ["Status", h("span", {class: `status ${operation.status}`}, status(operation))],
        ...(hasOutcomes ? [[operation.dry_run ? "Would flush" : "Flushed", count(flushed(operation))], ["Already ended", count(counts.gone)],
                       ["Failed", count(counts.failed)], ["Protected", count(counts.protected)]] : []),
        ...(operation.ruleset ? [["Allowed", count(counts.allowed)], ["Refused", count(counts.refused)],
                                 ["Translated otherwise", count(counts.translated)], ["Unknown", count(counts.unknown)]] : []),
        ["Matched", count(counts.matched)], ["Scanned", count(counts.scanned)],
        ["Closed, not shown", counts.closed ? count(counts.closed) : undefined],
        ["Age not known", counts.age_unknown ? count(counts.age_unknown) : undefined],
        ["Policy in force", changesFlows ? operation.stream_exception_policy : undefined],
    ]);
}

const NUMBER = "number";

/** By which rules flows are refused, and why verdicts are unknown. */
function verdictsOf({ruleset, refused_by: refusing = [], unknown_reasons: unknown = []}) {
    if (!ruleset) return [];
    const flowsOf = each => count(each.flows);
    return [
        h("p", {}, ruleset.source === "candidate" ? `Judged by a candidate for the ruleset, on top of generation ${ruleset.generation}.`
                                                  : `Judged by the ruleset in force, generation ${ruleset.generation}.`),
        refusing.length > 0 && table("Rules that refuse flows", [{title: "Flows", kind: NUMBER}, {title: "Bytes", kind: NUMBER}, {title: "Refused by", kind: "wraps"}],
                                     refusing.map(each => [flowsOf(each), bytes(each.bytes), rule(each.rule)])),
        unknown.length > 0 && table("Why verdicts are unknown", [{title: "Flows", kind: NUMBER}, {title: "Unknown because", kind: "wraps"}],
                                    unknown.map(each => [flowsOf(each), each.rule ? `${each.reason} (${rule(each.rule)})` : each.reason])),
    ].filter(Boolean);
}

/** Cut off where it is long; a click shows all of it, and it stays so. */
function scopeOf(operation, shown) {
    const text = scope(operation);
    const whole = h("span", {class: "scope-text", title: text}, text);
    const control = h("button", {class: "link", "aria-expanded": String(shown.whole), onclick: () => { shown.whole = !shown.whole; draw(); }});
    const element = h("span", {class: "which"}, whole, text.length > 60 && control);
    const draw = () => {
        element.classList.toggle("whole", shown.whole);
        control.textContent = shown.whole ? "less" : operation.filters.length > 1 ? `all ${operation.filters.length} filters` : "all of it";
        control.setAttribute("aria-expanded", String(shown.whole));
    };
    draw();
    return element;
}

function requestOf(operation, shown) {
    const {from_capture: earlier} = operation;
    const caller = who(operation.requested_by);
    return factLine([
        ["By", caller && h("span", {title: caller}, caller), "short"], ["Requested", time(operation.requested_at)],
        ["Took", isOver(operation) ? `${count(operation.duration_ms)} ms` : undefined],
        ["Earlier operation", earlier && h("a", {href: `#/operation/${earlier}`, title: earlier}, shortId(earlier))],
        ["Which flows", scopeOf(operation, shown), "grows"],
    ]);
}

/** By which rules flows were spared; empty where none was. */
function sparedOf(operation) {
    const {counts, refused} = operation;
    if (refused || !counts.protected) return "";
    return `${counts.protected === counts.matched ? "Every flow that matched is protected" : "Protected, left alone"}: ${rules(operation) || count(counts.protected)}`;
}

function messagesOf(operation) {
    const fault = operation.refused ? operation.detail : [operation.status_message, operation.detail].filter(Boolean).join(": ");
    const hasNothing = operation.empty_table && isOver(operation);
    const spared = sparedOf(operation);
    const untilWhen = blocked(operation);
    return [fault && notice(operation.status === "COMPLETED" ? "info" : "error", fault),
            hasNothing && notice("info", `The flow table of ${place(operation)} is empty, and connection tracking may be off there: ` +
                                 "the kernel turns it on in a network namespace for rules that use it, such as ct state."),
            operation.dry_run && notice("info", "This was a dry run: it has ended no flow."),
            spared && notice("info", spared),
            operation.policy_applied && notice("info", `Policy ${operation.stream_exception_policy} was put in force by this flush, and stays in force. It can be removed under `,
                                               h("a", {href: `#/policy${query({at: place(operation)})}`}, "Policy"), "."),
            untilWhen && notice("info", ...untilWhen),
            ...(operation.warnings ?? []).map(each => notice("warning", each))].filter(Boolean);
}

/** Flows that a candidate refuses are flushed once it is in force, by another rematch. */
function actionsOfRematch({operation_id: id, ruleset, counts}, mayFlush) {
    const canFlush = mayFlush && ruleset?.source === "in_force" && counts.refused > 0;
    return [mayFlush && h("a", {class: "button", href: `#/rematch${query({like: id})}`}, "Judge again"),
            canFlush && h("a", {class: "button danger", href: `#/flush/exactly/${id}`}, "Flush the refused flows")];
}

function actionsOf(operation, {mayFlush, signal}, failed) {
    const id = operation.operation_id;
    const cancel = async () => {
        try {
            await ask(`v1/operations/${encodeURIComponent(id)}/cancel`, {method: "POST", signal});
        } catch (error) {
            failed(error);
        }
    };
    if (!isOver(operation)) {
        const mayCancel = mayFlush || !kindOf(operation).changesFlows;
        return mayCancel ? [h("button", {onclick: cancel}, "End it early")] : [];
    }
    if (kindOf(operation).hasVerdicts) return actionsOfRematch(operation, mayFlush);
    const like = operation.from_capture ? [] : [h("a", {class: "button", href: `#/capture${query({like: id})}`}, "Capture again")];
    const canFlush = mayFlush && operation.counts.matched > 0 && onlyLooks(operation);
    if (!canFlush) return like;
    return [...like,
            h("a", {class: "button danger", href: `#/flush/exactly/${id}`}, "Flush exactly these flows"),
            !operation.from_capture && h("a", {class: "button danger", href: `#/flush${query({like: id})}`}, "Flush by the same filters")];
}

export async function render(content, context) {
    const {rest: [id], entitle, signal} = context;
    const account = h("div", {class: "account"});
    const messages = h("div");
    const verdicts = h("div");
    const faults = h("div");
    const actions = h("div", {class: "tools"});
    const tools = h("div", {class: "toolbar"}, actions);
    const progress = h("progress", {"aria-label": "It goes on"});
    const shown = {whole: false};
    let view;
    let offered;
    content.append(account, progress, messages, verdicts, faults, tools);

    const show = operation => {
        entitle(`Operation ${shortId(operation.operation_id)}: ${kind(operation)} on ${place(operation)}`, operation.operation_id);
        account.replaceChildren(resultOf(operation), requestOf(operation, shown));
        messages.replaceChildren(...messagesOf(operation));
        verdicts.replaceChildren(...verdictsOf(operation));
        progress.hidden = isOver(operation);
        // Buttons are replaced only on a change of status, so that none vanishes under the pointer.
        if (offered !== operation.status) {
            actions.replaceChildren(...actionsOf(operation, context, error => faults.replaceChildren(notice("error", error.message))).filter(Boolean));
        }
        offered = operation.status;
        const hasFlows = kindOf(operation).hasEarlyFlows || isOver(operation);
        if (!hasFlows) return;
        if (view) return view.update(operation);
        view = new FlowView(operation, signal);
        tools.append(view.tools);
        content.append(view.element);
    };
    await follow(`v1/operations/${encodeURIComponent(id)}/events`, signal, (name, operation) => {
        show(operation);
        return name === "end";
    });
}
