// SPDX-License-Identifier: GPL-2.0-or-later
// The operations that the agent has stored, newest first.

import {ask, query, repeat} from "../api.js";
import {field, h, select, tableOr} from "../dom.js";
import {count, flushed, kind, place, scope, status, time, who} from "../format.js";
import {endpoints} from "../requests.js";

export const title = () => "Operation history";

const PAGE = 100;
const RELOAD = 5000;

const HEADS = ["Operation", "Status", "Where", "Requested", "By", "Which flows", "Matched", "Flushed"];

const rowOf = operation => [
    h("a", {href: `#/operation/${operation.operation_id}`, title: operation.operation_id}, `${kind(operation)} ${operation.operation_id.slice(0, 8)}`),
    h("span", {class: `status ${operation.status}`}, status(operation)), place(operation), time(operation.requested_at), who(operation.requested_by),
    h("span", {class: "scope"}, scope(operation)), count(operation.counts.matched), operation.type === "FLOW_FLUSH" ? count(flushed(operation)) : "",
];

export async function render(content, {signal}) {
    const there = await endpoints(signal);
    const where = field("Where", select([["", "Everywhere"], ...there.map((each, index) => [String(index), place(each)])]));
    const type = field("Type", select([["", "All"], ["FLOW_CAPTURE", "Captures"], ["FLOW_FLUSH", "Flushes"]]));
    const list = tableOr("There is none, or none any more: operations are kept for some hours.", "Operations", HEADS);
    const fault = h("p", {class: "bad"});
    const more = h("button", {hidden: true, onclick: () => { most += PAGE; load(); }}, "Show more");
    let most = PAGE;
    let shown = "";
    let asked = 0;

    const load = async () => {
        const {firewall, availability_zone} = there[Number(where.control.value || -1)] ?? {};
        const question = ++asked;
        try {
            const listed = await ask(`v1/operations${query({firewall, availability_zone, type: type.control.value, limit: most})}`, {signal});
            const now = JSON.stringify(listed);
            fault.replaceChildren();
            if (now === shown || question !== asked) return;
            shown = now;
            list.fill(listed.operations.map(rowOf));
            more.hidden = !listed.next_cursor;
        } catch (error) {
            if (!signal.aborted) fault.replaceChildren(error.message);
        }
    };
    for (const each of [where, type]) each.control.addEventListener("change", load);
    content.append(h("div", {class: "row"}, where, type), fault, list, more);
    await repeat(RELOAD, signal, load);
}
