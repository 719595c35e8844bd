// SPDX-License-Identifier: GPL-2.0-or-later
// Shows a dry run's result; the flush that follows is limited to exactly the flows that it found.

import {ask, endpointQuery, follow, query as queryOf} from "../api.js";
import {optionsIn} from "../conditions.js";
import {facts, field, h, notice, table} from "../dom.js";
import {bytes, count, destination, duration, flows, flushed, place, rules, scope, source, states} from "../format.js";
import {typeOf} from "../kinds.js";
import {newKey, start} from "../requests.js";
import {limits, noticed, reach} from "../policy_words.js";

export const title = () => "Confirm the flush";

const FIRST = 10;
const PAGE = 1000;
const PAGES = 20;  // searched for the first flows to show
const LARGE = 100;  // from this number on, the user must type it

async function afterDryRun(id, notice, signal) {
    let operation;
    await follow(`v1/operations/${encodeURIComponent(id)}/events`, signal, (name, data) => {
        operation = data;
        notice.textContent = `Looking: ${flows(data.counts.matched)} of ${count(data.counts.scanned)} so far.`;
        return name === "end";
    });
    return operation;
}

/** The policy that will be in force. */
async function policyThen(operation, name, signal) {
    if (name) return ask(`v1/stream-exception-policies/${encodeURIComponent(name)}`, {signal});
    return ask(`v1/stream-exception-policy${endpointQuery(operation)}`, {signal});
}

/** The first flows that would be ended; many spared ones may precede them. */
async function firstEnded(id, signal) {
    const ended = [];
    for (let page = 0, cursor; page < PAGES && ended.length < FIRST; ++page) {
        const answer = await ask(`v1/operations/${encodeURIComponent(id)}/results${queryOf({limit: PAGE, cursor})}`, {signal});
        ended.push(...answer.flows.filter(flow => flow.outcome === undefined));
        cursor = answer.next_cursor;
        if (cursor === undefined) break;
    }
    return ended.slice(0, FIRST);
}

function firstFlows(rows) {
    return table("The first flows that are ended", ["Protocol", {title: "Source", kind: "wraps"}, {title: "Destination", kind: "wraps"}, "State", {title: "Age", kind: "number"}, {title: "Bytes", kind: "number"}],
                 rows.map(flow => [flow.protocol, source(flow), destination(flow), states(flow.state, flow.protocol_state), duration(flow.age_seconds), bytes(flow.bytes)]));
}

function consequences(operation, policy, options) {
    const {counts} = operation;
    const willBe = options.stream_exception_policy ? "is put in force first, and stays in force" : "in force";
    return [
        operation.include_protected && notice("warning", "Flows that the configuration protects, and your own session, are among those that are ended."),
        facts([["Where", place(operation)], ["Which", scope(operation)], ["Flows to be ended", flows(flushed(operation))],
               ["Protected, left alone", counts.protected ? flows(counts.protected) : undefined],
               ["Protected by", rules(operation)],
               ["Already ended", counts.gone ? flows(counts.gone) : undefined],
               ["Left out, age not known", counts.age_unknown ? flows(counts.age_unknown) : undefined],
               ["Policy", policy.policy === "none" ? "none in force" : `${policy.policy} ${willBe}: ${reach(policy)}`],
               ["Refused", options.require_policy && "where no policy would block flushed TCP flows"]]),
        h("p", {class: policy.policy === "none" ? "bad" : ""}, noticed(policy)),
        limits(policy) && h("p", {}, limits(policy)),
        ...(operation.warnings ?? []).map(each => notice("warning", each)),
    ].filter(Boolean);
}

function confirmation(operation, options, {go, signal}) {
    const ended = flushed(operation);
    const key = newKey();
    const {operation_id: id, from_capture: capture} = operation;
    const before = capture ? `flush/exactly/${capture}${queryOf(options)}` : `flush${queryOf({like: id, ...options})}`;
    const faults = h("div");
    const typed = ended >= LARGE ? field(`Type the number of flows, ${ended}, to go on`,
                                           h("input", {inputmode: "numeric", autocomplete: "off"})) : undefined;
    const button = h("button", {class: "danger", type: "submit", disabled: Boolean(typed)}, `Flush ${flows(ended)}`);
    typed?.control.addEventListener("input", () => { button.disabled = typed.control.value.replace(/[\s,.]/g, "") !== String(ended); });
    const submit = async event => {
        event.preventDefault();
        button.disabled = true;
        try {
            const request = {type: typeOf("flush"), from_capture: operation.operation_id, ...options};
            // Leaving the page does not cancel a request already sent.
            const started = await start(request, key);
            if (!signal.aborted) go(`operation/${started.operation_id}`);
        } catch (error) {
            button.disabled = false;
            if (!signal.aborted) faults.replaceChildren(notice("error", error.message));
        }
    };
    return h("form", {onsubmit: submit}, typed, faults, h("div", {class: "actions"}, button, h("button", {type: "button", onclick: () => go(before)}, "Back")));
}

/** Options chosen on the previous page. The flows come from the dry run, whatever the address says. */
function optionsOf(query, operation) {
    return {...optionsIn(query), include_protected: operation.include_protected};
}

export async function render(content, context) {
    const {rest: [id], query, signal} = context;
    const notice = h("p", {role: "status"}, "Looking.");
    content.append(notice);
    const operation = await afterDryRun(id, notice, signal);
    if (signal.aborted) return;
    notice.remove();
    if (!operation.dry_run) throw new Error("This operation was no dry run.");
    if (operation.status !== "COMPLETED") {
        content.append(notice("error", operation.detail ?? operation.status_message ?? operation.status));
        return;
    }
    const options = optionsOf(query, operation);
    const policy = await policyThen(operation, options.stream_exception_policy, signal);
    content.append(...consequences(operation, policy, options));
    if (flushed(operation) === 0) {
        content.append(notice("info", "There is nothing to flush."));
        return;
    }
    const first = await firstEnded(id, signal);
    content.append(h("h2", {}, flushed(operation) > first.length ? `The first ${first.length} of them` : "They are"), firstFlows(first),
                   confirmation(operation, options, context));
}
