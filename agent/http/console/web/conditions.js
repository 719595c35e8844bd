// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of the form for a request beside the filters: endpoint, further conditions, options of a flush. Each has its `fields`, by
// the names of the request's members, its `element`, and its `value`, the members.

import {ask} from "./api.js";
import {checkbox, field, h, select} from "./dom.js";
import {place} from "./format.js";
import {kindOf} from "./kinds.js";
import {endpoints} from "./requests.js";

// Other text is sent as typed, for the agent to report. An input of type "number" would be empty.
const number = control => (/^\d+$/.test(control.value.trim()) ? Number(control.value) : control.value.trim() || undefined);
const text = control => control.value.trim() || undefined;
const numberInput = attributes => h("input", {inputmode: "numeric", autocomplete: "off", ...attributes});

/** Conditions beside the filters. */
export function conditionsOf(type, given) {
    const {states, minimumAge} = kindOf({type});
    const fields = {
        minimum_age_seconds: field("Minimum age, seconds", numberInput({value: given.minimum_age_seconds || ""}), minimumAge),
        state: field("State", select(states, given.state ?? "")),
        match: field("Addresses to look at", select([["", "Original: as the initiator sent them"], ["translated", "Translated: after NAT"], ["any", "Both"]], given.match ?? "")),
        mark: field("Mark", h("input", {value: given.mark ?? "", placeholder: "0x5/0xff"})),
        zone: field("Conntrack zone", numberInput({value: given.zone ?? ""})),
        minimum_bytes: field("Minimum bytes, both directions", numberInput({value: given.minimum_bytes ?? ""})),
        minimum_packets: field("Minimum packets, both directions", numberInput({value: given.minimum_packets ?? ""})),
    };
    const both = checkbox("Also with source and destination exchanged", {checked: given.both_directions});
    const {minimum_age_seconds: age, ...others} = fields;
    const isUsed = Object.values(others).some(each => each.control.value !== "") || both.control.checked;
    const more = h("details", {open: isUsed}, h("summary", {}, "More conditions"),
                   h("p", {class: "hint"}, "A flow has to meet them all, beside the filters."), h("div", {class: "grid"}, Object.values(others)), both);
    return {
        fields,
        element: h("div", {}, age, more),
        /** A fault is not to be hidden. */
        reveal: () => { more.open ||= more.querySelector("[aria-invalid]") !== null; },
        get value() {
            return {...Object.fromEntries(["state", "match", "mark"].map(name => [name, text(fields[name].control)])),
                    ...Object.fromEntries(["minimum_age_seconds", "zone", "minimum_bytes", "minimum_packets"].map(name => [name, number(fields[name].control)])),
                    both_directions: both.control.checked || undefined};
        },
    };
}

/** What flows are judged by. */
export function candidateOf(given) {
    const candidate = field("Candidate for the ruleset", h("textarea", {rows: 4, spellcheck: "false", value: given.ruleset_text ?? "", placeholder: "insert rule inet filter forward tcp dport 8080 drop"}),
                            "As a file for nft -f. It is not loaded: flows are judged by what it would make of the ruleset in force. Empty: by the ruleset in force.");
    return {
        fields: {ruleset_text: candidate},
        element: candidate,
        get value() { return {ruleset_text: text(candidate.control)}; },
    };
}

/** Options of a flush. */
export async function flushOptions(given, signal) {
    const {policies} = await ask("v1/stream-exception-policies", {signal});
    const policy = field("Stream exception policy", select([["", "The one in force"], ...policies.map(each => [each.policy, `Put ${each.policy} in force first; it stays in force`])],
                                                           given.stream_exception_policy ?? ""));
    const required = checkbox("Refuse where no policy would block flushed TCP flows", {checked: given.require_policy});
    const included = checkbox("Also flows that the configuration protects, and my own session", {checked: given.include_protected});
    return {
        fields: {stream_exception_policy: policy},
        element: h("div", {}, policy, required, included),
        get value() {
            return {stream_exception_policy: policy.control.value || undefined, require_policy: required.control.checked || undefined,
                    include_protected: included.control.checked || undefined};
        },
    };
}

/** The members of flushOptions() in an address. */
export const optionsIn = query => ({stream_exception_policy: query.get("stream_exception_policy") ?? undefined,
                                    require_policy: query.has("require_policy") || undefined,
                                    include_protected: query.has("include_protected") || undefined});

/** The choice of an endpoint. */
export async function endpointChoice(given, signal) {
    const there = await endpoints(signal);
    const chosen = there.findIndex(each => each.firewall === given.firewall && each.availability_zone === given.availability_zone);
    // An endpoint of an earlier operation that no longer exists is not replaced by another.
    const isGone = given.firewall !== undefined && chosen === -1;
    const options = there.map((each, index) => [String(index), place(each)]);
    const whole = field("Firewall and availability zone", select(isGone ? [["", `${place(given)} is not there any more: choose`], ...options] : options,
                                                                 isGone ? "" : String(Math.max(0, chosen))));
    return {
        fields: {firewall: whole, availability_zone: whole},
        element: whole,
        get isChosen() { return whole.control.value !== ""; },
        get value() {
            const {firewall, availability_zone} = there[Number(whole.control.value || -1)] ?? {};
            return {firewall, availability_zone};
        },
    };
}
