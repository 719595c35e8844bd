// SPDX-License-Identifier: GPL-2.0-or-later
// Flows of an operation of any size: fetches the pages that are viewed, and keeps the most recent ones.

import {ask, query} from "./api.js";

const PAGE = 500;
const KEPT = 40;  // pages, 20,000 flows: about 20 MB

/** Rows by number; calls `changed` when rows have arrived. */
export class FlowPages {
    #path;
    #signal;
    #pages = new Map();  // by number, `{rows, total}`, least recently used first; `total`: number of rows then
    #asked = new Set();

    constructor(id, signal, changed, failed) {
        this.#path = `v1/operations/${encodeURIComponent(id)}/results`;
        this.#signal = signal;
        this.total = 0;
        this.isComplete = false;  // no more rows will be added
        this.changed = changed;
        this.failed = failed;
    }

    row(index) {
        return this.#pages.get(Math.floor(index / PAGE))?.rows[index % PAGE];
    }

    /** Requests these rows, unless they are here. */
    want(first, last) {
        for (let page = Math.floor(first / PAGE); page * PAGE < Math.min(last, this.total); ++page) {
            const there = this.#pages.get(page);
            if (there && (there.rows.length === PAGE || there.total === this.total)) this.#touch(page, there);
            else if (!this.#asked.has(page)) this.#fetch(page);
        }
    }

    /** All loaded rows, in order. */
    loaded() {
        return [...this.#pages.keys()].sort((a, b) => a - b).flatMap(page => this.#pages.get(page).rows);
    }

    get isFull() { return this.#pages.size >= KEPT; }

    /** Loads up to `rows` more rows, from the first missing one, as long as there is room. */
    async more(rows) {
        const last = Math.ceil(this.total / PAGE);
        for (let page = 0, left = rows; page < last && left > 0 && !this.isFull; ++page) {
            if (this.#pages.has(page)) continue;
            await this.#fetch(page);
            left -= PAGE;
        }
    }

    async #fetch(page) {
        this.#asked.add(page);
        const {total} = this;
        try {
            const answer = await ask(this.#path + query({cursor: page * PAGE, limit: PAGE}), {signal: this.#signal});
            this.#asked.delete(page);
            this.#touch(page, {rows: answer.flows, total});
            // A refused flush has counted flows, but stored none.
            if (this.isComplete && answer.next_cursor === undefined) this.total = page * PAGE + answer.flows.length;
            for (const oldest of this.#pages.keys()) {
                if (this.#pages.size <= KEPT) break;
                this.#pages.delete(oldest);
            }
            this.changed();
        } catch (error) {
            this.#asked.delete(page);
            if (!this.#signal.aborted) this.failed(error);
        }
    }

    #touch(page, there) {
        this.#pages.delete(page);
        this.#pages.set(page, there);
    }
}

/** Rows in memory, with the same interface. */
export class RowList {
    constructor(rows) {
        this.rows = rows;
        this.total = rows.length;
    }
    row(index) { return this.rows[index]; }
    want() {}
}
