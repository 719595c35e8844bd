// SPDX-License-Identifier: GPL-2.0-or-later
// One operation: progress, results, and follow-up actions.

import {ask, follow, query} from "../api.js";
import {facts, h, notice} from "../dom.js";
import {count, flushed, kind, place, scope, status, time, who} from "../format.js";
import {FlowView} from "../flow_view.js";

export const title = () => "Operation";

const isOver = operation => operation.status !== "IN_PROGRESS";

function accountOf(operation) {
    const {counts} = operation;
    const ofFlush = operation.type === "FLOW_FLUSH";
    return facts([
        ["Status", h("span", {class: `status ${operation.status}`}, status(operation))],
        ["What", kind(operation)], ["Where", place(operation)], ["Which flows", scope(operation)],
        ["Earlier operation", operation.from_capture && h("a", {href: `#/operation/${operation.from_capture}`}, operation.from_capture)],
        ["Requested", time(operation.requested_at)], ["By", who(operation.requested_by)],
        ["Took", isOver(operation) ? `${count(operation.duration_ms)} ms` : undefined],
        ["Looked at", count(counts.scanned)], ["Matched", count(counts.matched)],
        ...(ofFlush ? [[operation.dry_run ? "Would be flushed" : "Flushed", count(flushed(operation))], ["Gone by themselves", count(counts.gone)],
                       ["Failed", count(counts.failed)], ["Protected", count(counts.protected)]] : []),
        ["Closed, and not shown", counts.closed ? count(counts.closed) : undefined],
        ["Age not known", counts.age_unknown ? count(counts.age_unknown) : undefined],
        ["Stream exception policy", ofFlush ? operation.stream_exception_policy : undefined],
        ["Id", operation.operation_id],
    ]);
}

function messagesOf(operation) {
    const fault = [operation.status_message, operation.detail].filter(Boolean).join(": ");
    return [fault && notice(operation.status === "COMPLETED" ? "info" : "error", fault),
            ...(operation.warnings ?? []).map(each => notice("warning", each))].filter(Boolean);
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
        const mayCancel = mayFlush || operation.type === "FLOW_CAPTURE";
        return mayCancel ? [h("button", {onclick: cancel}, "End it early")] : [];
    }
    const like = operation.from_capture ? [] : [h("a", {class: "button", href: `#/capture${query({like: id})}`}, "Capture again")];
    const canFlush = mayFlush && operation.counts.matched > 0 && (operation.type === "FLOW_CAPTURE" || operation.dry_run);
    if (!canFlush) return like;
    return [...like,
            h("a", {class: "button danger", href: `#/flush/exactly/${id}`}, "Flush exactly these flows"),
            !operation.from_capture && h("a", {class: "button danger", href: `#/flush${query({like: id})}`}, "Flush by the same filters")];
}

export async function render(content, context) {
    const {rest: [id], signal} = context;
    const account = h("div");
    const messages = h("div");
    const faults = h("div");
    const actions = h("div", {class: "actions"});
    const progress = h("progress", {"aria-label": "It goes on"});
    let view;
    let offered;
    content.append(account, progress, messages, faults, actions);

    const show = operation => {
        account.replaceChildren(accountOf(operation));
        messages.replaceChildren(...messagesOf(operation));
        progress.hidden = isOver(operation);
        // Buttons are replaced only on a change of status, so that none vanishes under the pointer.
        if (offered !== operation.status) {
            actions.replaceChildren(...actionsOf(operation, context, error => faults.replaceChildren(notice("error", error.message))).filter(Boolean));
        }
        offered = operation.status;
        const hasFlows = operation.type === "FLOW_CAPTURE" || isOver(operation);
        if (!hasFlows) return;
        if (view) return view.update(operation);
        view = new FlowView(operation, signal);
        content.append(view.element);
    };
    await follow(`v1/operations/${encodeURIComponent(id)}/events`, signal, (name, operation) => {
        show(operation);
        return name === "end";
    });
}
