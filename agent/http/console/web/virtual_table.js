// SPDX-License-Identifier: GPL-2.0-or-later
// A table of any number of rows, which has elements only for the visible ones.

import {h} from "./dom.js";

const TALLEST = 8_000_000;  // pixels: browsers draw nothing beyond some 17 million
const ROW = 34;  // pixels, as in style.css
const CARD = 100;  // a row on a narrow screen, which shows no heads; likewise
const NARROW = "(max-width: 960px)";

/**
 * `columns`: `{name, title, text(row), numeric?, sortable?}`. `sorted(name)` and `opened(row)` are called when the user
 * asks for it.
 */
export class VirtualTable {
    #source = {total: 0, row: () => undefined, want: () => {}};
    #first = 0;
    #expected = -1;  // the scroll position last set by this table, to ignore its event

    constructor({label, columns, sorted, opened}) {
        this.columns = columns;
        this.opened = opened;
        this.body = h("tbody", {role: "rowgroup"});
        this.heads = new Map(columns.map(column => [column.name, this.#head(column, sorted)]));
        // With the roles it remains a table for screen readers where its rows are displayed as cards.
        this.table = h("table", {role: "table"}, h("caption", {class: "unseen"}, label),
                       h("thead", {role: "rowgroup"}, h("tr", {role: "row"}, [...this.heads.values()])), this.body);
        this.sizer = h("div", {class: "sizer"}, this.table);
        this.element = h("div", {class: "virtual", tabindex: 0, role: "region", "aria-label": label,
                                 onscroll: () => this.#scrolled(), onkeydown: event => this.#key(event)}, this.sizer);
        this.element.addEventListener("wheel", event => this.#wheel(event), {passive: false});
        this.narrow = matchMedia(NARROW);
        this.resizing = new ResizeObserver(() => this.draw());
        this.resizing.observe(this.element);
    }

    #head(column, sorted) {
        const title = column.sortable === false ? column.title
            : h("button", {class: "sort", onclick: () => sorted(column.name)}, column.title);
        return h("th", {scope: "col", role: "columnheader", class: `${column.name} ${column.numeric ? "number" : ""}`}, title);
    }

    /** Marks the column that the rows are sorted by; `direction` is `ascending` or `descending`. */
    markSorted(name, direction) {
        for (const [each, head] of this.heads) {
            if (each === name) head.setAttribute("aria-sort", direction);
            else head.removeAttribute("aria-sort");
        }
    }

    show(source, {keepPlace = false} = {}) {
        this.#source = source;
        if (!keepPlace) this.#first = 0;
        this.draw();
    }

    get total() { return this.#source.total; }
    get #row() { return this.narrow.matches ? CARD : ROW; }
    get #heads() { return this.narrow.matches ? 0 : ROW; }
    get shown() { return Math.max(1, Math.floor((this.element.clientHeight - this.#heads) / this.#row)); }
    get #last() { return Math.max(0, this.#source.total - this.shown); }
    get #height() { return Math.min(TALLEST, this.#source.total * this.#row + this.#heads); }

    goTo(row) {
        this.#first = Math.max(0, Math.min(this.#last, Math.round(row)));
        this.draw();
    }

    draw() {
        // The table is as high as its rows, up to a limit; how many are visible follows from that.
        this.sizer.style.height = `${this.#height}px`;
        this.#first = Math.min(this.#first, this.#last);
        const way = this.#height - this.element.clientHeight;
        const position = this.#last === 0 ? 0 : Math.round(way * this.#first / this.#last);
        if (Math.abs(this.element.scrollTop - position) > 1) {
            this.#expected = position;
            this.element.scrollTop = position;
        }
        const end = Math.min(this.#source.total, this.#first + this.shown);
        this.#source.want(this.#first, end);
        this.table.setAttribute("aria-rowcount", this.#source.total + 1);
        const rows = [];
        for (let index = this.#first; index < end; ++index) rows.push(this.#line(index));
        const focused = [...this.body.querySelectorAll("button")].indexOf(document.activeElement);
        this.body.replaceChildren(...rows);
        if (focused !== -1) this.body.querySelectorAll("button")[focused]?.focus({preventScroll: true});
        this.drawn?.(this.#first, end, this.#source.total);
    }

    #line(index) {
        const row = this.#source.row(index);
        const cells = this.columns.map((column, place) => {
            const text = row ? column.text(row) : place === 0 ? "…" : "";
            const cell = row && place === 0 ? h("button", {class: "link", onclick: () => this.opened(row)}, text) : text;
            return h("td", {role: "cell", class: `${column.name} ${column.numeric ? "number" : ""}`, title: row && place > 0 ? text : undefined,
                            "data-title": column.title}, cell);
        });
        return h("tr", {role: "row", "aria-rowindex": index + 2}, cells);
    }

    #scrolled() {
        const {scrollTop, clientHeight} = this.element;
        if (Math.abs(scrollTop - this.#expected) <= 1) return;
        this.#expected = -1;
        const way = this.#height - clientHeight;
        const first = way <= 0 ? 0 : Math.round(scrollTop / way * this.#last);
        if (first === this.#first) return;
        this.#first = first;
        // The user set this position: it is not corrected.
        this.#expected = scrollTop;
        this.draw();
    }

    #wheel(event) {
        // In a table so high that a pixel is more than a row, the wheel still moves by rows.
        if (this.#height < TALLEST || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
        event.preventDefault();
        this.goTo(this.#first + Math.sign(event.deltaY) * Math.max(1, Math.round(Math.abs(event.deltaY) / this.#row)));
    }

    #key(event) {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        const to = {ArrowDown: this.#first + 1, ArrowUp: this.#first - 1, PageDown: this.#first + this.shown,
                    PageUp: this.#first - this.shown, Home: 0, End: this.#last}[event.key];
        if (to === undefined) return;
        event.preventDefault();
        this.goTo(to);
    }
}
