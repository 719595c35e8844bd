// SPDX-License-Identifier: GPL-2.0-or-later
// Form for a capture or flush. A flush continues to the page that shows what it would do.

import {ask, Problem, query as queryOf} from "../api.js";
import {checkbox, debounced, field, h, notice, select} from "../dom.js";
import {FilterRows} from "../filter_rows.js";
import {flows, kind, place, scope} from "../format.js";
import {endpoints, newKey, start, validate} from "../requests.js";

export const title = ({name, rest}) =>
    (rest[0] === "exactly" ? "Flush captured flows" : name === "flush" ? "Configure flow flush" : "Configure flow capture");

const TYPES = {capture: "FLOW_CAPTURE", flush: "FLOW_FLUSH"};
// Other text is sent as typed, for the agent to report. An input of type "number" would be empty.
const number = control => (/^\d+$/.test(control.value.trim()) ? Number(control.value) : control.value.trim() || undefined);
const numberInput = attributes => h("input", {inputmode: "numeric", autocomplete: "off", ...attributes});

/** The defaults come first. */
const STATES = {FLOW_CAPTURE: [["", "Active: all but closed"], ["NEW"], ["ESTABLISHED"], ["CLOSED"], ["ANY", "Any, closed ones too"]],
                FLOW_FLUSH: [["", "Any, closed ones too"], ["ACTIVE", "Active: all but closed"], ["NEW"], ["ESTABLISHED"], ["CLOSED"]]};

/** Conditions beside the filters. */
function conditionsOf(type, given, changed) {
    const fields = {
        minimum_age_seconds: field("Minimum age, seconds", numberInput({value: given.minimum_age_seconds || "", oninput: changed}),
                                   "Younger flows are left out. For a capture 60 or more leaves out what is not yet established."),
        state: field("State", select(STATES[type], given.state ?? "")),
        match: field("Addresses to look at", select([["", "Original: as the initiator sent them"], ["translated", "Translated: after NAT"], ["any", "Both"]], given.match ?? "")),
        mark: field("Mark", h("input", {value: given.mark ?? "", placeholder: "0x5/0xff", oninput: changed})),
        zone: field("Conntrack zone", numberInput({value: given.zone ?? "", oninput: changed})),
        minimum_bytes: field("Minimum bytes, both directions", numberInput({value: given.minimum_bytes ?? "", oninput: changed})),
        minimum_packets: field("Minimum packets, both directions", numberInput({value: given.minimum_packets ?? "", oninput: changed})),
    };
    for (const name of ["state", "match"]) fields[name].control.addEventListener("change", changed);
    const both = checkbox("Also with source and destination exchanged", {checked: given.both_directions, onchange: changed});
    const {minimum_age_seconds: age, ...others} = fields;
    const isUsed = Object.values(others).some(each => each.control.value !== "") || both.control.checked;
    return {
        fields,
        element: h("div", {}, age, h("details", {open: isUsed}, h("summary", {}, "More conditions"), h("div", {class: "grid"}, Object.values(others)), both)),
        get value() {
            const text = name => fields[name].control.value.trim() || undefined;
            return {minimum_age_seconds: number(fields.minimum_age_seconds.control), state: text("state"), match: text("match"),
                    mark: text("mark"), zone: number(fields.zone.control), minimum_bytes: number(fields.minimum_bytes.control),
                    minimum_packets: number(fields.minimum_packets.control),
                    both_directions: both.control.checked || undefined};
        },
    };
}

/** Options of a flush. */
async function flushOptions(query, signal) {
    const {policies} = await ask("v1/stream-exception-policies", {signal});
    const policy = field("Stream exception policy", select([["", "The one in force"], ...policies.map(each => [each.policy, `Put ${each.policy} in force first`])],
                                                           query.get("stream_exception_policy") ?? ""));
    const required = checkbox("Refuse where flushed TCP flows could come back", {checked: query.has("require_policy")});
    const included = checkbox("Also flows that the configuration protects, and my own session", {checked: query.has("include_protected")});
    return {
        element: h("div", {}, policy, required, included),
        get value() {
            return {stream_exception_policy: policy.control.value || undefined, require_policy: required.control.checked || undefined,
                    include_protected: included.control.checked || undefined};
        },
    };
}

async function endpointField(given, signal) {
    const there = await endpoints(signal);
    const chosen = there.findIndex(each => each.firewall === given.firewall && each.availability_zone === given.availability_zone);
    // An endpoint of an earlier operation that no longer exists is not replaced by another.
    const isGone = given.firewall !== undefined && chosen === -1;
    const options = there.map((each, index) => [String(index), place(each)]);
    const whole = field("Firewall and availability zone", select(isGone ? [["", `${place(given)} is not there any more: choose`], ...options] : options,
                                                                 isGone ? "" : String(Math.max(0, chosen))));
    whole.isChosen = () => whole.control.value !== "";
    whole.endpoint = () => {
        const {firewall, availability_zone} = there[Number(whole.control.value)];
        return {firewall, availability_zone};
    };
    return whole;
}

/** Continues to the started operation; a flush starts with a dry run. */
async function send(request, flush, go, key, signal) {
    const started = await start({...request, ...(request.type === "FLOW_FLUSH" ? {...flush, dry_run: true} : {})}, key, signal);
    if (request.type === "FLOW_CAPTURE") return go(`operation/${started.operation_id}`);
    return go(`confirm/${started.operation_id}${queryOf(flush)}`);
}

function submitting(form, act) {
    const button = form.querySelector("button[type=submit]");
    return async event => {
        event.preventDefault();
        button.disabled = true;
        await act();
        button.disabled = false;
    };
}

async function renderExactly(content, {rest: [, id], query, go, signal}) {
    const capture = await ask(`v1/operations/${encodeURIComponent(id)}`, {signal});
    const options = await flushOptions(query, signal);
    const faults = h("div");
    let key = newKey();
    const form = h("form", {onchange: () => { key = newKey(); }},
                   h("p", {}, `Exactly the ${flows(capture.counts.matched)} that the ${kind(capture)} on ${place(capture)} found (${scope(capture)}), as far as they are still there.`),
                   options.element, faults, h("button", {class: "primary", type: "submit"}, "See what it would do"));
    form.addEventListener("submit", submitting(form, async () => {
        try {
            await send({type: "FLOW_FLUSH", from_capture: id}, options.value, go, key, signal);
        } catch (error) {
            if (!signal.aborted) faults.replaceChildren(notice("error", error.message));
        }
    }));
    content.append(form);
}

/** The form; its request is validated while the user types. */
class RequestForm {
    #checks = 0;
    #key = newKey();
    #faults = h("div");

    constructor({type, given, endpoint, options, go, signal}) {
        Object.assign(this, {type, endpoint, options, go, signal});
        this.inspect = debounced(300, () => this.#inspect());
        const isAll = given.filters.some(each => Object.keys(each).length === 0);
        this.conditions = conditionsOf(type, given, this.inspect);
        this.all = checkbox("Every flow", {checked: isAll, onchange: () => { this.rows.disabled = this.all.control.checked; this.inspect(); }});
        this.rows = new FilterRows(isAll ? [] : given.filters, this.inspect);
        this.rows.disabled = isAll;
        // A changed request gets a new key; the same one, sent again, is carried out once.
        const renew = () => { this.#key = newKey(); };
        this.element = h("form", {novalidate: true, oninput: renew, onchange: renew}, endpoint, this.all, this.rows.element, this.conditions.element, options?.element,
                         this.#faults, h("button", {class: "primary", type: "submit"}, type === "FLOW_FLUSH" ? "See what it would do" : "Capture"));
        this.element.addEventListener("submit", submitting(this.element, () => this.#submit()));
    }

    get #request() {
        const all = this.all.control.checked;
        return {type: this.type, ...this.endpoint.endpoint(), ...this.conditions.value, filters: all ? [{}] : this.rows.values,
                all: (all && this.type === "FLOW_FLUSH") || undefined};
    }

    // To the agent an empty filter matches every flow; here it is one that the user has not filled in yet.
    get #isBegun() { return this.endpoint.isChosen() && (this.all.control.checked || !this.rows.hasEmpty); }

    async #inspect() {
        const check_ = ++this.#checks;
        if (this.signal.aborted || !this.#isBegun) return;
        try {
            await validate(this.#request, this.signal);
            if (check_ === this.#checks) this.#explain("");
        } catch (error) {
            if (check_ === this.#checks && error instanceof Problem) this.#explain(error.message);
        }
    }

    async #submit() {
        ++this.#checks;
        if (!this.endpoint.isChosen()) return this.#explain("Choose a firewall and availability zone.");
        if (!this.#isBegun) return this.#explain("Fill in each filter, or say that every flow is meant.");
        try {
            await send(this.#request, this.options?.value, this.go, this.#key, this.signal);
        } catch (error) {
            if (!this.signal.aborted) this.#explain(error.message);
        }
        ++this.#checks;
        return undefined;
    }

    /** Shows the agent's message at the field that it names. */
    #explain(message) {
        const {fields} = this.conditions;
        this.rows.complain();
        for (const each of Object.values(fields)) each.complain("");
        this.#faults.replaceChildren();
        if (!message) return;
        const [, index, ofFilter] = /^filters\[(\d+)\](?:\.|: )(.*)$/.exec(message) ?? [];
        const [, name] = /^(\w+): /.exec(message) ?? [];
        if (index !== undefined) this.rows.complain(new Map([[Number(index), ofFilter]]));
        else if (fields[name]) fields[name].complain(message);
        else this.#faults.append(notice("error", message));
    }
}

export async function render(content, context) {
    const {name, rest, query, go, signal} = context;
    if (rest[0] === "exactly") return renderExactly(content, context);
    const like = query.get("like");
    const given = like ? await ask(`v1/operations/${encodeURIComponent(like)}`, {signal}) : {filters: []};
    const type = TYPES[name];
    const endpoint = await endpointField(given, signal);
    const options = type === "FLOW_FLUSH" ? await flushOptions(query, signal) : undefined;
    content.append(new RequestForm({type, given, endpoint, options, go, signal}).element);
    return undefined;
}
