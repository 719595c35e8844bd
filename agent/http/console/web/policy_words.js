// SPDX-License-Identifier: GPL-2.0-or-later
// Explanations of stream exception policies.

import {duration, time} from "./format.js";

const MEANING = {
    drop: "Midstream packets are dropped in silence: both ends of a flushed connection try again until they time out.",
    reject: "The sender of a midstream packet learns at once that the connection is over: by a TCP reset, or by ICMP for other protocols.",
    continue: "Midstream packets go on to your own rules, which see a new flow: what they allow comes back and is counted.",
    none: "Nothing happens to midstream packets: a flushed TCP connection comes back with its next packet, unless your own rules stop it.",
};

const NOTICED = {
    drop: "Clients and servers hear nothing any more. Their connections hang until they time out; then clients connect again, and your rules in force decide.",
    reject: "Clients and servers get a reset as soon as they send, see a broken connection at once, and most will connect again: your rules in force decide.",
    continue: "Clients and servers notice nothing if your rules in force allow their next packet: then the flow is back as a new one.",
    none: "Without a policy, flows are back with their next packet, TCP in the middle of its stream as well, unless your rules in force stop it. Put a policy in force first to end them for good.",
};

export const meaning = policy => MEANING[policy.stream_exception_policy] ?? "";

/** What hosts notice when their flows are ended under the policy. */
export const noticed = policy => NOTICED[policy.stream_exception_policy] ?? "";

export function reach(policy) {
    if (policy.scope === "all") return "every midstream packet of TCP and SCTP";
    if (policy.scope === "flushed") return `packets of flows that were flushed in the last ${duration(policy.remember_flushed_for_seconds)}`;
    return "";
}

const blocks = policy => policy.scope === "flushed" && ["drop", "reject"].includes(policy.stream_exception_policy);

/** What a policy does not do; empty where it blocks nothing. */
export function limits(policy) {
    if (!blocks(policy)) return "";
    return `Flushed flows are blocked for ${duration(policy.remember_flushed_for_seconds)}; later packets are judged by your rules. To stop new connections, change the firewall's rules.`;
}

/** Until when the flows of a flush that has ended are blocked: parts of a text; undefined where nothing blocks them. */
export function blocked(operation, policy) {
    if (!blocks(policy)) return undefined;
    const end = new Date(new Date(operation.requested_at).getTime() + operation.duration_ms + 1000 * policy.remember_flushed_for_seconds);
    return [end > new Date() ? "The flushed flows are blocked until " : "The flushed flows were blocked until ", time(end),
            "; later packets are judged by your rules. To stop new connections, change the firewall's rules."];
}
