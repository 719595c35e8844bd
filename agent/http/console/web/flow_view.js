// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of an operation: table, sorting and filtering of loaded rows, copying, downloading.

import {connection, send} from "./api.js";
import {h, notice} from "./dom.js";
import {bytes, count, destination, duration, end, flows, reason, source, states} from "./format.js";
import {FlowPages, RowList} from "./flow_pages.js";
import {kindOf} from "./kinds.js";
import {VirtualTable} from "./virtual_table.js";

const translated = flow => (flow.translated ? `${end(flow.translated.source, flow.translated.source_port)} → ${
    end(flow.translated.destination, flow.translated.destination_port)}` : "");

const COLUMNS = [
    {name: "protocol", title: "Protocol", text: flow => flow.protocol},
    {name: "source", title: "Source", text: source},
    {name: "destination", title: "Destination", text: destination},
    {name: "state", title: "State", text: flow => states(flow.state, flow.protocol_state)},
    {name: "outcome", title: "Outcome", text: flow => flow.outcome ?? ""},
    {name: "age", title: "Age", text: flow => duration(flow.age_seconds), value: flow => flow.age_seconds, numeric: true},
    {name: "bytes", title: "Bytes", text: flow => bytes(flow.bytes), value: flow => flow.bytes, numeric: true},
    {name: "bytes-back", title: "Bytes back", text: flow => bytes(flow.bytes_reply), value: flow => flow.bytes_reply, numeric: true},
    {name: "timeout", title: "Timeout", text: flow => duration(flow.timeout_seconds), value: flow => flow.timeout_seconds, numeric: true},
    {name: "translated", title: "After NAT", text: translated},
];

const VERDICT_COLUMNS = [
    {name: "verdict", title: "Verdict", text: flow => flow.verdict?.result ?? ""},
    {name: "reason", title: "Reason", text: flow => (flow.verdict ? reason(flow.verdict) : "")},
];

/** A capture has no outcomes; a dry run has none of the flows that a flush would end. */
function columnsOf(operation) {
    const columns = operation.ruleset || kindOf(operation).hasVerdicts ? [...COLUMNS.slice(0, 5), ...VERDICT_COLUMNS, ...COLUMNS.slice(5)] : COLUMNS;
    if (!kindOf(operation).hasOutcomes) return columns.filter(({name}) => name !== "outcome");
    return columns.map(each => (operation.dry_run && each.name === "outcome" ? {...each, text: flow => flow.outcome ?? "would flush"} : each));
}

const FORMS = [["CSV", "text/csv", "csv"], ["NDJSON", "application/x-ndjson", "ndjson"]];

function detailsOf(flow, signal) {
    const dialog = h("dialog", {"aria-label": "All that is known of this flow"}, h("pre", {tabindex: 0}, JSON.stringify(flow, null, 2)),
                     h("div", {class: "actions"},
                       h("button", {onclick: () => copy(JSON.stringify(flow), dialog)}, "Copy"),
                       h("button", {class: "primary", onclick: () => dialog.close()}, "Close")));
    dialog.addEventListener("close", () => dialog.remove());
    signal.addEventListener("abort", () => dialog.close(), {once: true});
    document.body.append(dialog);
    dialog.showModal();
}

/** `near`: an element that can take the focus; elements behind a dialog cannot. */
async function copy(text, near) {
    if (navigator.clipboard) {
        await navigator.clipboard.writeText(text);
    } else {
        // The clipboard interface exists only on loopback or over TLS.
        const area = h("textarea", {value: text});
        near.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
    }
    const notice = h("p", {class: "quiet", role: "status"}, "Copied.");
    near.append(notice);
    setTimeout(() => notice.remove(), 2000);
}

async function download(id, [, type, extension], signal) {
    const response = await send(`v1/operations/${encodeURIComponent(id)}/results`, {accept: type, signal});
    const url = URL.createObjectURL(await response.blob());
    h("a", {href: url, download: `flows-${id}.${extension}`}).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b
    : a === undefined ? -1 : b === undefined ? 1 : String(a).localeCompare(String(b), "en", {numeric: true}));

export class FlowView {
    #sorting = null;

    constructor(operation, signal) {
        this.columns = columnsOf(operation);
        this.id = operation.operation_id;
        this.signal = signal;
        this.notice = h("p", {class: "told", role: "status"});
        this.faults = h("div");
        this.search = h("input", {type: "search", placeholder: "10.0.1.7, tcp, ESTABLISHED", oninput: () => this.#arrange()});
        this.table = new VirtualTable({label: "Flows", columns: this.columns, sorted: name => this.#sort(name), opened: flow => detailsOf(flow, signal)});
        this.table.drawn = () => this.#showNotice();
        this.pages = new FlowPages(this.id, signal, () => this.#come(), error => this.#fail(error));
        this.more = h("button", {onclick: this.#busy(() => this.pages.more(5000))}, "Load 5,000 more");
        this.toRow = h("input", {type: "number", min: 1, onchange: () => this.table.goTo(Number(this.toRow.value) - 1)});
        this.sortBy = h("select", {onchange: () => this.#sortAs(...this.sortBy.value.split(" "))},
                       h("option", {value: ""}, "As stored"),
                       this.columns.flatMap(({name, title}) => [h("option", {value: `${name} ascending`}, `${title} ▲`), h("option", {value: `${name} descending`}, `${title} ▼`)]));
        this.tools = this.#tools();
        this.element = h("section", {class: "flows", "aria-label": "Flows of this operation"}, this.faults, this.notice, this.table.element);
        this.update(operation);
        signal.addEventListener("abort", () => this.table.resizing.disconnect());
        connection.addEventListener("found", () => this.#come(), {signal});
    }

    /** Updates the view with the operation's current state. */
    update(operation) {
        this.pages.isComplete = operation.status !== "IN_PROGRESS";
        this.pages.total = operation.counts.matched;
        this.#arrange(true);
    }

    #come() {
        this.faults.replaceChildren();
        this.#arrange(true);
    }

    #fail(error) {
        if (!this.signal.aborted) this.faults.replaceChildren(notice("error", error.message));
    }

    /** Runs `work` unless it is already running. */
    #busy(work) {
        return async event => {
            event.target.disabled = true;
            try {
                await work();
            } catch (error) {
                this.#fail(error);
            }
            event.target.disabled = false;
        };
    }

    #tools() {
        return h("div", {class: "tools"},
                 h("label", {}, "Search what is loaded ", this.search), h("label", {class: "to-sort"}, "Sort what is loaded ", this.sortBy),
                 h("label", {class: "to-row"}, "Go to row ", this.toRow), this.more,
                 h("button", {onclick: this.#busy(() => copy(this.#asText(), this.element)), "aria-label": "Copy what is loaded"}, "Copy"),
                 FORMS.map(form => h("button", {onclick: this.#busy(() => download(this.id, form, this.signal)), "aria-label": `Download ${form[0]}`}, form[0])));
    }

    #sort(name) {
        const [before, direction] = this.#sorting ?? [];
        if (before !== name) this.#sortAs(name, "ascending");
        else this.#sortAs(...(direction === "ascending" ? [name, "descending"] : []));
    }

    #sortAs(name, direction) {
        this.#sorting = name ? [name, direction] : null;
        this.sortBy.value = this.#sorting?.join(" ") ?? "";
        this.table.markSorted(...(this.#sorting ?? [null]));
        this.#arrange();
    }

    get #isArranged() { return this.#sorting !== null || this.search.value.trim() !== ""; }

    /** Stored rows in stored order; or, when sorted or searched, the loaded ones. */
    #arrange(keepPlace = false) {
        this.table.show(this.#isArranged ? new RowList(this.#arranged()) : this.pages, {keepPlace});
    }

    #arranged() {
        const words = this.search.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
        const rows = this.pages.loaded().filter(flow => {
            const text = this.columns.map(column => column.text(flow)).join(" ").toLowerCase();
            return words.every(word => text.includes(word));
        });
        if (!this.#sorting) return rows;
        const [name, direction] = this.#sorting;
        const column = this.columns.find(each => each.name === name);
        const value = column.value ?? column.text;
        const sign = direction === "ascending" ? 1 : -1;
        return rows.sort((a, b) => sign * compare(value(a), value(b)));
    }

    #showNotice() {
        const {total} = this.pages;
        const loaded = this.pages.loaded().length;
        this.more.hidden = loaded >= total || this.pages.isFull || !this.#isArranged;
        this.toRow.parentElement.hidden = this.#isArranged || total < 100;
        this.toRow.max = total;
        const text = this.#isArranged ? `${flows(this.table.total)} of the ${count(loaded)} that are loaded, of ${count(total)}`
            : total === 0 ? "No flow." : `${flows(total)}`;
        if (this.notice.textContent !== text) this.notice.textContent = text;
    }

    #asText() {
        const lines = this.#arranged().map(flow => this.columns.map(column => column.text(flow)).join("\t"));
        return [this.columns.map(column => column.title).join("\t"), ...lines].join("\n");
    }
}
