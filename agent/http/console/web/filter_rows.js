// SPDX-License-Identifier: GPL-2.0-or-later
// Up to twenty filters, one per row, converted to the filters of a request.

import {checkbox, field, h} from "./dom.js";

export const MOST_FILTERS = 20;
const PROTOCOLS = ["tcp", "udp", "icmp", "icmpv6", "sctp"];
const PARTS = [["source", "Source", "10.0.1.0/24"], ["destination", "Destination", "2001:db8::/32"],
               ["source_port", "Source port", "1024:65535"], ["destination_port", "Destination port", "443"],
               ["translated_source", "Source after NAT", "198.51.100.1"], ["translated_destination", "Destination after NAT", "10.0.2.7"]];

class FilterRow {
    constructor(given, changed, removed) {
        this.fields = new Map(PARTS.map(([name, label, placeholder]) => [name, field(label,
            h("input", {value: given[name] ?? "", placeholder, spellcheck: "false", autocomplete: "off", oninput: changed}))]));
        const chosen = given.protocols ?? [];
        this.checks = PROTOCOLS.map(name => checkbox(name, {name, checked: chosen.includes(name), onchange: changed}));
        this.others = field("Other protocols", h("input", {value: chosen.filter(each => !PROTOCOLS.includes(each)).join(" "),
                                                           placeholder: "gre 112", spellcheck: "false", oninput: changed}));
        this.fields.set("protocols", this.others);
        this.legend = h("legend");
        this.fault = h("p", {class: "fault", hidden: true});
        this.remove = h("button", {type: "button", class: "remove", onclick: () => removed(this)}, "Remove");
        this.element = h("fieldset", {class: "filter"}, this.legend, [...PARTS.map(([name]) => this.fields.get(name))],
                         h("div", {class: "field protocols", role: "group", "aria-label": "Protocols"}, h("span", {class: "label"}, "Protocols (none: any)"),
                           h("div", {class: "checks"}, this.checks)), this.others, this.remove, this.fault);
    }

    get value() {
        const protocols = [...this.checks.map(each => each.control).filter(each => each.checked).map(each => each.name),
                           ...this.others.control.value.split(/[\s,]+/).filter(Boolean)];
        const parts = PARTS.map(([name]) => [name, this.fields.get(name).control.value.trim()]).filter(([, value]) => value);
        return {...Object.fromEntries(parts), ...(protocols.length ? {protocols} : {})};
    }

    get isEmpty() { return Object.keys(this.value).length === 0; }

    /** Shows the agent's error message at the field that it names. */
    complain(message = "") {
        for (const each of this.fields.values()) each.complain("");
        const [, part] = /^([\w-]+)(?:\[\d+\])?: /.exec(message) ?? [];
        const named = this.fields.get(part?.replaceAll("-", "_").replace(/^protocol$/, "protocols"));
        if (named) named.complain(message);
        this.fault.hidden = !message || Boolean(named);
        this.fault.textContent = named ? "" : message;
    }
}

export class FilterRows {
    constructor(given, changed) {
        this.changed = changed;
        this.list = h("div", {class: "filters"});
        this.rows = [];
        this.add = h("button", {type: "button", onclick: () => this.#append({}, true)}, "Add a filter");
        this.told = h("span", {class: "hint", role: "status"});
        this.element = h("div", {}, this.list, h("p", {}, this.add, " ", this.told));
        for (const each of given.length ? given : [{}]) this.#append(each, false);
    }

    get values() { return this.rows.map(row => row.value); }
    get hasEmpty() { return this.rows.some(row => row.isEmpty); }

    set disabled(is) {
        for (const each of this.element.querySelectorAll("input, button")) each.disabled = is;
        if (!is) this.#count();
    }

    /** `faults` maps filter numbers, from 0, to messages; other filters are valid. */
    complain(faults = new Map()) {
        this.rows.forEach((row, index) => row.complain(faults.get(index)));
    }

    #append(given, byHand) {
        const row = new FilterRow(given, this.changed, gone => this.#remove(gone));
        this.rows.push(row);
        this.list.append(row.element);
        this.#count();
        if (byHand) row.fields.get("source").control.focus();
        this.changed();
    }

    #remove(row) {
        const index = this.rows.indexOf(row);
        this.rows.splice(index, 1);
        row.element.remove();
        this.#count();
        (this.rows[index] ?? this.rows.at(-1)).fields.get("source").control.focus();
        this.changed();
    }

    #count() {
        this.rows.forEach((row, index) => {
            row.legend.textContent = `Filter ${index + 1}`;
            row.remove.hidden = this.rows.length === 1;
        });
        this.add.disabled = this.rows.length >= MOST_FILTERS;
        this.told.textContent = this.rows.length >= MOST_FILTERS ? `${MOST_FILTERS} filters are the most that an operation takes.`
            : this.rows.length > 1 ? "A flow matches when one of them does." : "A flow matches when every part that is given does.";
    }
}
