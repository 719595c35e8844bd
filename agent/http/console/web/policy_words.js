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
    none: "Without a policy, flows are back with their next packet, TCP in the middle of its stream as well, unless your rules in force stop it. Put a policy in force first to block their packets.",
};

export const meaning = policy => MEANING[policy.stream_exception_policy] ?? "";

/** What hosts notice when their flows are ended under the policy. */
export const noticed = policy => NOTICED[policy.stream_exception_policy] ?? "";

/** How long a flow is remembered, after "for". */
function memory({remember_flushed_for: connection, remember_flushed_for_seconds: seconds}) {
    return connection ? "as long as each one's own timeout had left" : duration(seconds);
}

export function reach(policy) {
    if (policy.scope === "all") return "every midstream packet of TCP and SCTP";
    if (policy.scope === "flushed") return `packets of flushed flows, for ${memory(policy)}`;
    return "";
}

const blocks = policy => policy.scope === "flushed" && ["drop", "reject"].includes(policy.stream_exception_policy);

const NEW_CONNECTIONS = "To stop new connections, change the firewall's rules.";

/** What a policy does not do; empty where it blocks nothing. */
export function limits(policy) {
    if (!blocks(policy)) return "";
    return `Flushed flows are blocked for ${memory(policy)}; later packets are judged by your rules. ${NEW_CONNECTIONS}`;
}

/** Until when the flows of a flush that has ended are blocked: parts of a text; undefined where nothing blocks them. */
export function blocked({blocked: isBlocked, blocked_until: first, last_blocked_until: last, stream_exception_policy: policy}) {
    if (!isBlocked) return undefined;
    if (!first) return [`The flushed flows are blocked as long as policy ${policy} is in force. ${NEW_CONNECTIONS}`];
    const isOver = new Date(last ?? first) <= new Date();
    return [`The flushed flows ${isOver ? "were" : "are"} blocked until `, time(first),
            ...(last && last !== first ? [", the last of them until ", time(last)] : []),
            `; later packets are judged by your rules. ${NEW_CONNECTIONS}`];
}
