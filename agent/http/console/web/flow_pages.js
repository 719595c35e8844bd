// The flows of an operation, however many: the pages that are looked at are fetched, the latest few are kept.

import {ask, query} from "./api.js";

const PAGE = 500;
const KEPT = 40;  // 20,000 flows: some 20 MB

/** Rows by their number; `changed` is called when some have come. */
export class FlowPages {
    #path;
    #signal;
    #pages = new Map();  // `{rows, total}` by number, those used last at the end; `total`: how many there were by then
    #asked = new Set();

    constructor(id, signal, changed, failed) {
        this.#path = `v1/operations/${encodeURIComponent(id)}/results`;
        this.#signal = signal;
        this.total = 0;
        this.isComplete = false;  // whether no more rows come
        this.changed = changed;
        this.failed = failed;
    }

    row(index) {
        return this.#pages.get(Math.floor(index / PAGE))?.rows[index % PAGE];
    }

    /** Sees to it that these rows are there soon. */
    want(first, last) {
        for (let page = Math.floor(first / PAGE); page * PAGE < Math.min(last, this.total); ++page) {
            const there = this.#pages.get(page);
            if (there && (there.rows.length === PAGE || there.total === this.total)) this.#touch(page, there);
            else if (!this.#asked.has(page)) this.#fetch(page);
        }
    }

    /** All that is here, in their order. */
    loaded() {
        return [...this.#pages.keys()].sort((a, b) => a - b).flatMap(page => this.#pages.get(page).rows);
    }

    get isFull() { return this.#pages.size >= KEPT; }

    /** So many rows more, from the first that is missing, as long as there is room. */
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
            // A flush that was refused has counted flows, and kept none.
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

/** Rows that are here, as a source of the same kind. */
export class RowList {
    constructor(rows) {
        this.rows = rows;
        this.total = rows.length;
    }
    row(index) { return this.rows[index]; }
    want() {}
}
