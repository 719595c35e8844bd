// What the gateway has and does at this moment.

import {ask, endpointQuery, follow, repeat} from "../api.js";
import {bar, meter, Sparkline} from "../charts.js";
import {facts, h, notice, table} from "../dom.js";
import {bytes, count, flows, kind, place, scope, status} from "../format.js";

export const title = () => "Overview";

const RECOUNT = 60_000;  // a census looks at every flow

/** By policy and protocol, over hooks and directions. */
function caughtBy(counters) {
    const sums = new Map();
    for (const {policy, protocol, packets, bytes: size} of counters) {
        const sum = sums.get(`${policy} ${protocol}`) ?? {policy, protocol, packets: 0, bytes: 0};
        sums.set(`${policy} ${protocol}`, {...sum, packets: sum.packets + packets, bytes: sum.bytes + size});
    }
    return [...sums.values()].filter(each => each.packets > 0);
}

const CONDITIONS = {
    none: "", as_applied: "", changed: "somebody has changed its rules", missing: "somebody has removed its rules",
    unverified: "there is no record of what was applied",
};

class EndpointCard {
    constructor(endpoint, signal) {
        this.endpoint = endpoint;
        this.signal = signal;
        this.name = place(endpoint);
        this.usage = h("div");
        this.entries = new Sparkline(`Flows in the table of ${this.name}`);
        this.midstream = h("div");
        this.caught = new Sparkline(`Midstream packets each second, ${this.name}`);
        this.policy = h("p");
        this.kinds = h("div");
        this.element = h("section", {class: "card", "aria-label": this.name},
            h("h2", {}, this.name),
            this.usage, this.entries.element,
            h("h3", {}, "Stream exception policy"), this.policy,
            h("h3", {}, "Midstream packets"), this.midstream, this.caught.element,
            h("h3", {}, "Flows by protocol and state"), this.kinds);
        repeat(RECOUNT, signal, () => Promise.all([this.#readPolicy(), this.#count()]));
    }

    update(glance) {
        if (glance.fault) {
            this.usage.replaceChildren(notice("error", glance.fault));
            return;
        }
        const share = glance.maximum ? ` of ${count(glance.maximum)} (${(100 * glance.in_use / glance.maximum).toFixed(1)} %)` : "";
        this.usage.replaceChildren(facts([["In use", count(glance.in_use) + share], ["Peak", count(glance.peak)]]),
                                   meter("Flow table in use", glance.in_use, glance.maximum));
        this.entries.add(glance.in_use);
        this.#showCaught(caughtBy(glance.counters ?? []));
    }

    #showCaught(caught) {
        const packets = caught.reduce((sum, each) => sum + each.packets, 0);
        const now = performance.now();
        if (this.before) {
            const rate = (packets - this.before.packets) / ((now - this.before.at) / 1000);
            this.caught.add(Math.max(0, Math.round(rate)));
        }
        this.before = {packets, at: now};
        this.midstream.replaceChildren(caught.length === 0 ? h("p", {class: "quiet"}, "None has been caught.")
            : table(`Midstream packets, ${this.name}`, ["Policy", "Protocol", "Packets", "Bytes"],
                    caught.map(each => [each.policy, each.protocol, count(each.packets), bytes(each.bytes)])));
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
            const census = await ask(`v1/flow-table${endpointQuery(this.endpoint)}`, {signal: this.signal});
            const whole = census.flows.reduce((sum, each) => sum + each.count, 0);
            this.kinds.replaceChildren(census.flows.length === 0 ? h("p", {class: "quiet"}, "There is no flow.")
                : table(`Flows by protocol and state, ${this.name}`, ["Family", "Protocol", "State", "Flows", "Share"],
                        census.flows.map(each => [each.family, each.protocol, each.state, count(each.count),
                                                  bar(`${each.family} ${each.protocol} ${each.state}`, each.count, whole)])));
        } catch (error) {
            this.#fail(this.kinds, error);
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
    const running = h("div", {"aria-live": "polite"});
    const cards = h("div", {class: "cards"});
    const shown = new Map();
    content.append(h("section", {class: "card"}, h("h2", {}, "Running operations"), running), cards);
    await follow("v1/overview", signal, (_, overview) => {
        running.replaceChildren(runningList(overview.operations));
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
