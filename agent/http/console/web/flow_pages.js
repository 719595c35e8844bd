// The flows of an operation, however many: the pages that are looked at are fetched, the latest few are kept.

import {ask, query} from "./api.js";

const PAGE = 500;
const KEPT = 40;  // 20,000 flows: some 20 MB

/** Rows by their number; `changed` is called when some have come. */
export class FlowPages {
    #path;
    #signal;
    #pages = new Map();  // by number, those used last at the end
    #asked = new Set();

    constructor(id, total, signal, changed, failed) {
        this.#path = `v1/operations/${encodeURIComponent(id)}/results`;
        this.#signal = signal;
        this.total = total;
        this.changed = changed;
        this.failed = failed;
    }

    row(index) {
        return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
    }

    /** Sees to it that these rows are there soon. */
    want(first, last) {
        for (let page = Math.floor(first / PAGE); page * PAGE < Math.min(last, this.total); ++page) {
            const rows = this.#pages.get(page);
            const isWhole = rows && (rows.length === PAGE || page * PAGE + rows.length >= this.total);
            if (isWhole) this.#touch(page, rows);
            else if (!this.#asked.has(page)) this.#fetch(page);
        }
    }

    /** All that is here, in their order. */
    loaded() {
        return [...this.#pages.keys()].sort((a, b) => a - b).flatMap(page => this.#pages.get(page));
    }

    /** So many rows more, from the first that is missing. */
    async more(rows) {
        const last = Math.ceil(this.total / PAGE);
        const missing = [];
        for (let page = 0; page < last && missing.length * PAGE < rows && missing.length < KEPT; ++page)
            if (!this.#pages.has(page)) missing.push(page);
        for (const page of missing) await this.#fetch(page);
    }

    async #fetch(page) {
        this.#asked.add(page);
        try {
            const answer = await ask(this.#path + query({cursor: page * PAGE, limit: PAGE}), {signal: this.#signal});
            this.#touch(page, answer.flows);
            for (const oldest of this.#pages.keys()) {
                if (this.#pages.size <= KEPT) break;
                this.#pages.delete(oldest);
            }
            this.changed();
        } catch (error) {
            if (!this.#signal.aborted) this.failed(error);
        } finally {
            this.#asked.delete(page);
        }
    }

    #touch(page, rows) {
        this.#pages.delete(page);
        this.#pages.set(page, rows);
    }
}

/** Rows that are here, as a source of the same kind. */
export class RowList {
    constructor(rows) {
        this.rows = rows;
        this.total = rows.length;
    }
    row(index) { return this.rows[index]; }
    want() {}
}
