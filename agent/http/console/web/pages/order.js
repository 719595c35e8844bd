// Which flows to capture or to flush. A flush goes on to the page that shows what it would do.

import {ask, Problem, query as queryOf} from "../api.js";
import {checkbox, debounced, field, h, notice, select} from "../dom.js";
import {FilterRows} from "../filter_rows.js";
import {place, scope} from "../format.js";
import {check, endpoints, newKey, start} from "../orders.js";

export const title = ({name, rest}) =>
    (rest[0] === "exactly" ? "Flush captured flows" : name === "flush" ? "Configure flow flush" : "Configure flow capture");

const TYPES = {capture: "FLOW_CAPTURE", flush: "FLOW_FLUSH"};
const number = control => (control.value === "" ? undefined : Number(control.value));
const numberInput = attributes => h("input", {type: "number", min: 0, step: 1, inputmode: "numeric", ...attributes});

/** What is asked for beside the filters. */
function conditionsOf(given, changed) {
    const fields = {
        minimum_age_seconds: field("Minimum age, seconds", numberInput({value: given.minimum_age_seconds || "", max: 4294967295, oninput: changed}),
                                   "Younger flows are left out. For a capture 60 or more leaves out what is not yet established."),
        state: field("State", select([["", "Active: all but closed"], ["NEW"], ["ESTABLISHED"], ["CLOSED"], ["ANY", "Any"]], given.state ?? "")),
        match: field("Addresses to look at", select([["", "Original: as the initiator sent them"], ["translated", "Translated: after NAT"], ["any", "Both"]], given.match ?? "")),
        mark: field("Mark", h("input", {value: given.mark ?? "", placeholder: "0x5/0xff", oninput: changed})),
        zone: field("Conntrack zone", numberInput({value: given.zone ?? "", max: 65535, oninput: changed})),
        minimum_bytes: field("Minimum bytes, both directions", numberInput({value: given.minimum_bytes ?? "", oninput: changed})),
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
                    both_directions: both.control.checked || undefined};
        },
    };
}

/** What a flush does beyond finding flows. */
async function flushOptions(signal) {
    const {policies} = await ask("v1/stream-exception-policies", {signal});
    const policy = field("Stream exception policy", select([["", "The one in force"], ...policies.map(each => [each.policy, `Put ${each.policy} in force first`])]));
    const required = checkbox("Refuse where flushed TCP flows could come back");
    const included = checkbox("Also flows that the configuration protects, and my own session");
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
    const whole = field("Firewall and availability zone", select(there.map((each, index) => [String(index), place(each)]), String(Math.max(0, chosen))));
    whole.endpoint = () => {
        const {firewall, availability_zone} = there[Number(whole.control.value)];
        return {firewall, availability_zone};
    };
    return whole;
}

/** The agent's words go where they belong. */
function explain(message, form, rows, fields) {
    rows.complain();
    for (const each of Object.values(fields)) each.complain("");
    form.replaceChildren();
    if (!message) return;
    const [, index, ofFilter] = /^filters\[(\d+)\]: (.*)$/.exec(message) ?? [];
    const [, name] = /^(\w+): /.exec(message) ?? [];
    if (index !== undefined) rows.complain(new Map([[Number(index), ofFilter]]));
    else if (fields[name]) fields[name].complain(message);
    else form.append(notice("error", message));
}

/** Goes on to what was started; a flush is tried first. */
async function send(order, flush, go, key, signal) {
    const started = await start({...order, ...(order.type === "FLOW_FLUSH" ? {...flush, dry_run: true} : {})}, key, signal);
    if (order.type === "FLOW_CAPTURE") return go(`operation/${started.operation_id}`);
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

async function renderExactly(content, {rest: [, id], go, signal}) {
    const capture = await ask(`v1/operations/${encodeURIComponent(id)}`, {signal});
    const options = await flushOptions(signal);
    const faults = h("div");
    const key = newKey();
    const form = h("form", {}, h("p", {}, `Exactly the ${capture.counts.matched} flows that the capture on ${place(capture)} found (${scope(capture)}), as far as they are still there.`),
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

export async function render(content, context) {
    const {name, rest, query, go, signal} = context;
    if (rest[0] === "exactly") return renderExactly(content, context);
    const like = query.get("like");
    const given = like ? await ask(`v1/operations/${encodeURIComponent(like)}`, {signal}) : {filters: []};
    const type = TYPES[name];
    const faults = h("div");
    let key = newKey();
    let checks = 0;

    const orderNow = () => ({
        type, ...endpoint.endpoint(), ...conditions.value,
        filters: all.control.checked ? [{}] : rows.values,
        all: all.control.checked && type === "FLOW_FLUSH" ? true : undefined,
    });
    // A row that nobody has filled in yet means every flow to the agent, and nothing to whoever is typing.
    const isBegun = () => all.control.checked || !rows.hasEmpty;
    const inspect = debounced(300, async () => {
        const number_ = ++checks;
        key = newKey();
        if (signal.aborted || !isBegun()) return;
        try {
            await check(orderNow(), signal);
            if (number_ === checks) explain("", faults, rows, conditions.fields);
        } catch (error) {
            if (number_ === checks && error instanceof Problem) explain(error.message, faults, rows, conditions.fields);
        }
    });

    const endpoint = await endpointField(given, signal);
    const conditions = conditionsOf(given, inspect);
    const all = checkbox("Every flow", {onchange: () => { rows.disabled = all.control.checked; inspect(); }});
    const isAll = given.filters.some(each => Object.keys(each).length === 0);
    const rows = new FilterRows(isAll ? [] : given.filters, inspect);
    const options = type === "FLOW_FLUSH" ? await flushOptions(signal) : undefined;
    if (isAll) {
        all.control.checked = true;
        rows.disabled = true;
    }
    const form = h("form", {novalidate: true}, endpoint, all, rows.element, conditions.element, options?.element, faults,
                   h("button", {class: "primary", type: "submit"}, type === "FLOW_FLUSH" ? "See what it would do" : "Capture"));
    form.addEventListener("submit", submitting(form, async () => {
        if (!isBegun()) return explain("Fill in each filter, or say that every flow is meant.", faults, rows, conditions.fields);
        try {
            await send(orderNow(), options?.value, go, key, signal);
        } catch (error) {
            if (!signal.aborted) explain(error.message, faults, rows, conditions.fields);
        }
        return undefined;
    }));
    content.append(form);
    return undefined;
}
