// SPDX-License-Identifier: GPL-2.0-or-later
// Ended flows, as they end.

import {follow, query} from "../api.js";
import {checkbox, debounced, field, h, notice, tableOr} from "../dom.js";
import {bytes, count, duration, end, shortId, states, time} from "../format.js";

export const title = () => "Flow log";

const REASONS = ["flushed", "closed", "timeout", "evicted"];
const KEPT = 300;
const COLUMNS = ["Ended", "Reason", "Last state", "Protocol", {title: "Source", kind: "wraps"}, {title: "Destination", kind: "wraps"},
                 {title: "Age", kind: "number"}, {title: "Bytes", kind: "number"}, {title: "By", kind: "wraps"}];

const total = flow => (flow.bytes_toserver === undefined ? undefined : flow.bytes_toserver + (flow.bytes_toclient ?? 0));

function by(record) {
    const headgate = record.headgate ?? {};
    if (headgate.operation_id) {
        return h("a", {href: `#/operation/${headgate.operation_id}`}, headgate.user ?? shortId(headgate.operation_id));
    }
    const {process, port_id: port} = headgate.flushed_by ?? {};
    return process ?? (port === undefined ? "" : `netlink port ${port}`);
}

function rowOf(record) {
    const {flow = {}} = record;
    return [time(record.timestamp), flow.reason ?? "unknown", states(flow.last_state, (record.tcp ?? record.sctp ?? record.dccp)?.state?.toUpperCase()), record.proto ?? "", end(record.src_ip, record.src_port),
            end(record.dest_ip, record.dest_port), duration(flow.age), bytes(total(flow)), by(record)];
}

export async function render(content, {draft, signal}) {
    const kept = draft.value ?? {};
    const checks = REASONS.map(name => checkbox(name, {name, checked: kept.reasons?.includes(name), onchange: () => changed()}));
    const filter = field("Filter", h("input", {value: kept.filter ?? "", placeholder: "destination=10.0.2.0/24,protocol=tcp", spellcheck: "false", oninput: () => changed()}),
                         "As on the command line: a flow has to match every part, and one of the reasons.");
    const pause = checkbox("Pause", {onchange: () => draw()});
    const notice = h("p", {class: "told"});
    const list = tableOr("None has ended.", "Ended flows", COLUMNS);
    const faults = h("div");
    let records = [];
    let missed = 0;
    let stream = new AbortController();
    let isDue = false;

    const draw = () => {
        isDue = false;
        if (pause.control.checked) return;
        const shown = records.length < KEPT ? `${count(records.length)} shown` : `The latest ${count(KEPT)} are shown`;
        notice.textContent = `${shown}, the latest first${missed ? `; ${count(missed)} were missed` : ""}.`;
        list.fill(records.map(rowOf));
    };
    const receive = (_, record) => {
        if (record.event_type !== "flow") missed += record.headgate?.lost?.count ?? 0;
        else records = [record, ...records.slice(0, KEPT - 1)];
        if (!isDue) setTimeout(draw, 200);
        isDue = true;
    };
    const reasons = () => checks.map(each => each.control).filter(each => each.checked).map(each => each.name);
    const again = async () => {
        stream.abort();
        stream = new AbortController();
        filter.complain("");
        faults.replaceChildren();
        // After each connect, the agent resends its recent records.
        const begun = () => {
            records = [];
            missed = 0;
            draw();
        };
        try {
            await follow(`v1/flow-log${query({reason: reasons(), filter: filter.control.value.trim(), latest: KEPT})}`,
                         AbortSignal.any([signal, stream.signal]), receive, begun);
        } catch (error) {
            if (error.message.startsWith("filter: ")) filter.complain(error.message.slice("filter: ".length));
            else faults.replaceChildren(notice("error", error.message));
        }
    };
    const soon = debounced(400, again);
    const changed = () => {
        draft.keep({reasons: reasons(), filter: filter.control.value});
        soon();
    };
    content.append(h("div", {class: "row"}, h("fieldset", {class: "checks"}, h("legend", {}, "Reasons (none: all)"), checks), filter, pause), faults, notice, list);
    await again();
}
