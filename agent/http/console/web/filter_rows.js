// SPDX-License-Identifier: GPL-2.0-or-later
// Up to twenty filters, one per row, converted to the filters of a request.

import {checkbox, field, h} from "./dom.js";

export const MOST_FILTERS = 20;
const PROTOCOLS = ["tcp", "udp", "icmp", "icmpv6", "sctp"];
const PARTS = [["source", "Source", "10.0.1.0/24"], ["destination", "Destination", "2001:db8::/32"],
               ["source_port", "Source port", "1024:65535"], ["destination_port", "Destination port", "443"],
               ["translated_source", "Source after NAT", "198.51.100.1"], ["translated_destination", "Destination after NAT", "10.0.2.7"]];

class FilterRow {
    constructor(given, removed) {
        this.fields = new Map(PARTS.map(([name, label, placeholder]) => [name, field(label,
            h("input", {value: given[name] ?? "", placeholder, spellcheck: "false", autocomplete: "off"}))]));
        const chosen = given.protocols ?? [];
        this.checks = PROTOCOLS.map(name => checkbox(name, {name, checked: chosen.includes(name)}));
        this.others = field("Other protocols", h("input", {value: chosen.filter(each => !PROTOCOLS.includes(each)).join(" "),
                                                           placeholder: "gre 112", spellcheck: "false"}));
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

    /** `faults`: `{part, message}`, each shown at the field of its part, or at the filter as a whole. */
    complain(faults = []) {
        for (const [part, each] of this.fields) each.complain(faults.find(fault => fault.part === part)?.message);
        const others = faults.filter(({part}) => !this.fields.has(part)).map(({message}) => message);
        this.fault.hidden = others.length === 0;
        this.fault.textContent = others.join(" ");
    }
}

/** Calls `changed` when a filter is added or removed. */
export class FilterRows {
    constructor(given, changed) {
        this.changed = changed;
        this.list = h("div", {class: "filters"});
        this.rows = [];
        this.add = h("button", {type: "button", onclick: () => this.#append({}, true)}, "Add a filter");
        this.notice = h("span", {class: "hint", role: "status"});
        this.element = h("section", {"aria-label": "Filters"}, h("p", {class: "combine"}, "A flow is meant when it matches ", h("strong", {}, "any"),
                                     " of the filters. It matches a filter when ", h("strong", {}, "every"),
                                     " part that is filled in fits; of several protocols one is enough."),
                         this.list, h("p", {}, this.add, " ", this.notice));
        for (const each of given.length ? given : [{}]) this.#append(each, false);
    }

    get values() { return this.rows.map(row => row.value); }

    /** A fault for each filter in which nothing is filled in. */
    get emptyOnes() {
        return this.rows.flatMap((row, filter) => (row.isEmpty
            ? [{filter, part: "source", message: `Fill in a part of this filter${this.rows.length > 1 ? ", or remove it" : ""}.`}] : []));
    }

    set disabled(is) {
        for (const each of this.element.querySelectorAll("input, button")) each.disabled = is;
        if (!is) this.#count();
    }

    /** `faults`: `{filter, part, message}`; what is not named is valid. */
    complain(faults = []) {
        this.rows.forEach((row, index) => row.complain(faults.filter(({filter}) => filter === index)));
    }

    #append(given, byHand) {
        const row = new FilterRow(given, gone => this.#remove(gone));
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
        this.notice.textContent = this.rows.length >= MOST_FILTERS ? `${MOST_FILTERS} filters are the most that an operation takes.` : "";
    }
}
