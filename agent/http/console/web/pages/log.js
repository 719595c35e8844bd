// SPDX-License-Identifier: GPL-2.0-or-later
// Ended flows, as they end.

import {follow, query} from "../api.js";
import {checkbox, debounced, field, h, notice, tableOr} from "../dom.js";
import {bytes, count, duration, end, time} from "../format.js";

export const title = () => "Flow log";

const REASONS = ["flushed", "closed", "timeout", "evicted"];
const KEPT = 300;
const HEADS = ["Ended", "Reason", "Last state", "Protocol", "Source", "Destination", "Age", "Bytes", "By"];

const total = flow => (flow.bytes_toserver === undefined ? undefined : flow.bytes_toserver + (flow.bytes_toclient ?? 0));

function by(record) {
    const headgate = record.headgate ?? {};
    if (headgate.operation_id) {
        return h("a", {href: `#/operation/${headgate.operation_id}`}, headgate.user ?? headgate.operation_id.slice(0, 8));
    }
    const {process, port_id: port} = headgate.flushed_by ?? {};
    return process ?? (port === undefined ? "" : `netlink port ${port}`);
}

function rowOf(record) {
    const {flow = {}} = record;
    return [time(record.timestamp), flow.reason ?? "not told", flow.last_state ?? "", record.proto ?? "", end(record.src_ip, record.src_port),
            end(record.dest_ip, record.dest_port), duration(flow.age), bytes(total(flow)), by(record)];
}

export async function render(content, {signal}) {
    const checks = REASONS.map(name => checkbox(name, {name, onchange: () => again()}));
    const filter = field("Filter", h("input", {placeholder: "destination=10.0.2.0/24,protocol=tcp", spellcheck: "false", oninput: debounced(400, () => again())}),
                         "In the command line's words.");
    const pause = checkbox("Hold still", {onchange: () => draw()});
    const told = h("p", {class: "told"});
    const list = tableOr("None has ended.", "Ended flows", HEADS);
    const faults = h("div");
    let records = [];
    let missed = 0;
    let stream = new AbortController();
    let isDue = false;

    const draw = () => {
        isDue = false;
        if (pause.control.checked) return;
        told.textContent = `${count(records.length)} shown, the latest first${missed ? `; ${count(missed)} were missed` : ""}.`;
        list.fill(records.map(rowOf));
    };
    const take = (_, record) => {
        if (record.event_type !== "flow") missed += record.headgate?.lost?.count ?? 0;
        else records = [record, ...records.slice(0, KEPT - 1)];
        if (!isDue) setTimeout(draw, 200);
        isDue = true;
    };
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
        const reason = checks.map(each => each.control).filter(each => each.checked).map(each => each.name);
        try {
            await follow(`v1/flow-log${query({reason, filter: filter.control.value.trim(), latest: KEPT})}`,
                         AbortSignal.any([signal, stream.signal]), take, begun);
        } catch (error) {
            if (error.message.startsWith("filter: ")) filter.complain(error.message);
            else faults.replaceChildren(notice("error", error.message));
        }
    };
    content.append(h("div", {class: "row"}, h("fieldset", {class: "checks"}, h("legend", {}, "Reasons (none: all)"), checks), filter, pause), faults, told, list);
    await again();
}
