// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's current state.

import {ask, connection, endpointQuery, follow, repeat} from "../api.js";
import {bar, Chart, meter} from "../charts.js";
import {facts, h, notice, tableOr} from "../dom.js";
import {bytes, count, flows, kind, place, scope, status} from "../format.js";

export const title = () => "Overview";

const RECOUNT = 60_000;  // ms: a count reads every flow
const REREAD = 10_000;   // ms, of the policy in force
const TICK = 2000;       // ms, of the charts

/** By policy and protocol, summed over hooks and directions. */
function caughtBy(counters) {
    const sums = new Map();
    for (const {policy, protocol, packets, bytes: size} of counters) {
        const sum = sums.get(`${policy} ${protocol}`) ?? {policy, protocol, packets: 0, bytes: 0};
        sums.set(`${policy} ${protocol}`, {...sum, packets: sum.packets + packets, bytes: sum.bytes + size});
    }
    return [...sums.values()].filter(each => each.packets > 0);
}

const CONDITIONS = {
    none: "", as_applied: "", changed: "another process has changed its rules", missing: "another process has removed its rules",
    unverified: "there is no record of what was applied",
};

class EndpointCard {
    constructor(endpoint, signal) {
        this.endpoint = endpoint;
        this.signal = signal;
        this.name = place(endpoint);
        this.usage = h("div");
        this.entries = new Chart("Flows in the table", this.name, {seconds: TICK / 1000});
        this.midstream = tableOr("None has been caught.", `Midstream packets, ${this.name}`,
                                 ["Policy", "Protocol", {title: "Packets", kind: "number"}, {title: "Bytes", kind: "number"}], {cards: false});
        this.caught = new Chart("Midstream packets caught per second", this.name, {seconds: TICK / 1000});
        this.policy = h("p");
        this.kinds = tableOr("There is no flow.", `Flows by protocol and state, ${this.name}`,
                             ["Family", "Protocol", "State", {title: "Flows", kind: "number"}, "Share"], {cards: false});
        this.faults = h("p", {class: "bad"});
        this.element = h("section", {class: "card", "aria-label": this.name},
            h("h2", {}, this.name),
            h("div", {class: "parts"},
              h("div", {}, h("h3", {}, "Flow table"), this.usage, this.entries.element),
              h("div", {}, h("h3", {}, "Stream exception policy"), this.policy, this.caught.element, h("h3", {}, "Midstream packets"), this.midstream),
              h("div", {}, h("h3", {}, "Flows by protocol and state"), this.kinds, this.faults)));
        repeat(RECOUNT, signal, () => this.#count());
        repeat(REREAD, signal, () => this.#readPolicy());
        repeat(TICK, signal, () => this.#tick());
        connection.addEventListener("found", () => Promise.all([this.#count(), this.#readPolicy()]), {signal});
    }

    update(glance) {
        if (glance.fault) {
            this.usage.replaceChildren(notice("error", glance.fault));
            return;
        }
        const share = glance.maximum ? ` of ${count(glance.maximum)} (${(100 * glance.in_use / glance.maximum).toFixed(1)} %)` : "";
        this.usage.replaceChildren(facts([["In use", count(glance.in_use) + share], ["Peak", count(glance.peak)]]),
                                   meter("Flow table in use", glance.in_use, glance.maximum));
        const caught = caughtBy(glance.counters ?? []);
        this.midstream.fill(caught.map(each => [each.policy, each.protocol, count(each.packets), bytes(each.bytes)]));
        this.now = {in_use: glance.in_use, packets: caught.reduce((sum, each) => sum + each.packets, 0)};
        if (!this.before) this.#tick();
    }

    /** Events arrive only on changes; the charts advance with time. */
    #tick() {
        if (!this.now) return;
        this.entries.add(this.now.in_use);
        const rate = (this.now.packets - (this.before ?? this.now).packets) / (TICK / 1000);
        this.caught.add(Math.max(0, Math.round(rate)));
        this.before = this.now;
    }

    async #readPolicy() {
        try {
            const there = await ask(`v1/stream-exception-policy${endpointQuery(this.endpoint)}`, {signal: this.signal});
            const condition = CONDITIONS[there.condition];
            const name = there.policy === "none" ? "None: flushed TCP flows come back with their next packet." : h("strong", {}, there.policy);
            this.policy.replaceChildren(name, condition ? h("span", {class: "bad"}, ` ${condition}`) : "");
        } catch (error) {
            this.#fail(this.policy, error);
        }
    }

    async #count() {
        try {
            const statistics = await ask(`v1/flow-table${endpointQuery(this.endpoint)}`, {signal: this.signal});
            const whole = statistics.flows.reduce((sum, each) => sum + each.count, 0);
            this.kinds.fill(statistics.flows.map(each => [each.family, each.protocol, each.state, count(each.count),
                                                      bar(`${each.family} ${each.protocol} ${each.state}`, each.count, whole)]));
            this.faults.replaceChildren();
        } catch (error) {
            this.#fail(this.faults, error);
        }
    }

    #fail(where, error) {
        if (!this.signal.aborted) where.replaceChildren(h("span", {class: "bad"}, error.message));
    }
}

function runningList(operations) {
    if (operations.length === 0) return h("p", {class: "quiet"}, "Nothing is running.");
    return h("ul", {}, operations.map(each => h("li", {},
        h("a", {href: `#/operation/${each.operation_id}`}, `${kind(each)} on ${place(each)}`),
        ` ${status(each)}: ${scope(each)}; ${flows(each.counts.matched)} of ${count(each.counts.scanned)}`)));
}

export async function render(content, {signal}) {
    const running = h("div");
    const cards = h("div", {class: "cards"});
    const shown = new Map();
    content.append(h("section", {class: "card"}, h("h2", {}, "Running operations"), running), cards);
    let listed = "";
    await follow("v1/overview", signal, (_, overview) => {
        const now = JSON.stringify(overview.operations);
        if (now !== listed) running.replaceChildren(runningList(overview.operations));
        listed = now;
        for (const glance of overview.endpoints) {
            const name = place(glance);
            if (!shown.has(name)) {
                shown.set(name, new EndpointCard(glance, signal));
                cards.append(shown.get(name).element);
            }
            shown.get(name).update(glance);
        }
    });
}
