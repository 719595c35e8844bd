// SPDX-License-Identifier: GPL-2.0-or-later
// The operations that the agent has stored, newest first.

import {ask, query, repeat} from "../api.js";
import {breakable, field, h, select, tableOr} from "../dom.js";
import {count, flushed, kind, place, scope, shortId, status, time, who} from "../format.js";
import {kindOf, TYPES} from "../kinds.js";
import {endpoints} from "../requests.js";

export const title = () => "Operation history";

const PAGE = 100;
const RELOAD = 5000;

const COLUMNS = ["Operation", {title: "Status", kind: "wraps breaks"}, {title: "Where", kind: "wraps breaks"}, "Requested", {title: "By", kind: "wraps"},
                 {title: "Which flows", kind: "wraps wide"}, {title: "Matched", kind: "number"}, {title: "Flushed", kind: "number breaks"}];

function resultOf(operation) {
    if (!kindOf(operation).hasOutcomes) return "";
    return operation.dry_run ? h("span", {class: "would"}, `would flush ${count(flushed(operation))}`) : count(flushed(operation));
}

function statusOf(operation) {
    const reason = operation.status === "COMPLETED" ? undefined : operation.detail ?? operation.status_message;
    return h("span", {}, h("span", {class: `status ${operation.status}`}, status(operation)), reason && h("span", {class: "reason", title: reason}, reason));
}

/** Nothing where it is empty: then a card has no line for it. */
const clamped = text => text && h("span", {class: "scope", title: text}, breakable(text));

const rowOf = operation => ({kind: operation.dry_run && "dry-run", cells: [
    h("a", {href: `#/operation/${operation.operation_id}`, title: operation.operation_id}, `${kind(operation)} ${shortId(operation.operation_id)}`),
    statusOf(operation), place(operation), time(operation.requested_at), clamped(who(operation.requested_by)), clamped(scope(operation)),
    count(operation.counts.matched), resultOf(operation),
]});

export async function render(content, {draft, signal}) {
    const there = await endpoints(signal);
    const places = there.map(place);
    const kept = draft.value ?? {};
    const where = field("Where", select([["", "Everywhere"], ...places.map(each => [each])], places.includes(kept.where) ? kept.where : ""));
    const type = field("Type", select([["", "All"], ...TYPES], kept.type ?? ""));
    const list = tableOr("There is none, or none any more: operations are kept for some hours.", "Operations", COLUMNS);
    const fault = h("p", {class: "bad"});
    const more = h("button", {hidden: true, onclick: () => { most += PAGE; load(); }}, "Show more");
    let most = PAGE;
    let shown = "";
    let asked = 0;

    const load = async () => {
        const {firewall, availability_zone} = there[places.indexOf(where.control.value)] ?? {};
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
    for (const each of [where, type]) {
        each.control.addEventListener("change", () => {
            draft.keep({where: where.control.value, type: type.control.value});
            load();
        });
    }
    content.append(h("div", {class: "row"}, where, type), fault, list, more);
    await repeat(RELOAD, signal, load);
}
