// SPDX-License-Identifier: GPL-2.0-or-later
// What happens to midstream packets: the policy in force, and the available ones.

import {ask, connection, endpointQuery} from "../api.js";
import {facts, field, h, notice, select, table} from "../dom.js";
import {bytes, count, duration, place} from "../format.js";
import {endpoints} from "../requests.js";
import {limits, meaning, reach} from "../policy_words.js";

export const title = () => "Stream exception policy";

const CONDITIONS = {
    none: "no policy is in force", as_applied: "in force", changed: "another process has changed the rules in the kernel",
    missing: "another process has removed the rules from the kernel", unverified: "in force; there is no record of what was applied",
};

function caught(counters) {
    if (counters.length === 0) return h("p", {class: "quiet"}, "No midstream packet has been caught.");
    return h("div", {}, h("h3", {}, "Midstream packets"), table("Midstream packets", ["Policy", "Hook", "Direction", "Protocol", {title: "Packets", kind: "number"}, {title: "Bytes", kind: "number"}],
                 counters.map(each => [each.policy, each.hook, each.direction, each.protocol, count(each.packets), bytes(each.bytes)])));
}

function statusOf(policy) {
    return [
        facts([["Policy", policy.policy], ["State", CONDITIONS[policy.condition]], ["Action", policy.policy === "none" ? undefined : policy.stream_exception_policy],
               ["Applies to", reach(policy)], ["Removed by another process", policy.missing_policy], ["Hooks", policy.hooks?.join(", ")], ["Priority", policy.priority],
               ["Remembered flows", policy.policy === "none" ? undefined : count(policy.remembered_flows)],
               ["Windows open", policy.windows.map(each => `${each.protocol} for ${duration(each.seconds_left)}`).join(", ")]]),
        h("p", {}, meaning(policy)),
        limits(policy) && h("p", {}, limits(policy)),
        ...(policy.warnings ?? []).map(each => notice("warning", each)),
        caught(policy.counters.filter(each => each.packets > 0)),
    ].filter(Boolean);
}

function choice(policy, checked) {
    const control = h("input", {type: "radio", name: "policy", value: policy.policy, checked});
    return h("label", {class: "choice"}, control, h("span", {}, h("strong", {}, policy.policy), ` ${meaning(policy)} It applies to ${reach(policy)}.`));
}

export async function render(content, {draft, mayFlush, query, signal}) {
    const [there, {policies}] = await Promise.all([endpoints(signal), ask("v1/stream-exception-policies", {signal})]);
    const chosen = Math.max(0, there.findIndex(each => place(each) === (draft.value?.at ?? query.get("at"))));
    const where = field("Firewall and availability zone", select(there.map((each, index) => [String(index), place(each)]), String(chosen)));
    const status = h("section", {class: "card", "aria-label": "In force"});
    const change = h("form", {class: "card"});
    let loading = new AbortController();
    let shownPath = "";

    const keep = policy => draft.keep({at: place(there[Number(where.control.value)]), policy});
    const show = (policy, path) => {
        status.replaceChildren(h("h2", {}, "In force"), ...statusOf(policy));
        if (!mayFlush) return;
        const faults = h("div");
        const send = async options => {
            try {
                const changed = await ask(path, options);
                if (path !== shownPath) return;
                keep();
                show(changed, path);
                status.prepend(notice("info", "Done."));
            } catch (error) {
                if (!signal.aborted) faults.replaceChildren(notice("error", error.message));
            }
        };
        change.onsubmit = event => {
            event.preventDefault();
            send({method: "PUT", body: {policy: new FormData(change).get("policy")}});
        };
        const chosen = draft.value?.policy ?? policy.policy;
        const isLeft = chosen !== policy.policy;
        change.replaceChildren(h("h2", {}, "Change"),
                               h("p", {class: "draft", hidden: !isLeft}, isLeft ? `As you left it: ${chosen} is chosen, and not applied yet.` : ""),
                               h("fieldset", {class: "choices"}, h("legend", {class: "unseen"}, "Policy"),
                                 policies.map(each => choice(each, each.policy === chosen))), faults,
                               h("div", {class: "actions"}, h("button", {class: "primary", type: "submit"}, "Apply"),
                                 policy.policy !== "none" && h("button", {type: "button", onclick: () => send({method: "DELETE"})}, "Remove the policy")));
    };
    /** Display and buttons apply to one endpoint. */
    const load = async () => {
        loading.abort();
        loading = new AbortController();
        const {signal: current} = loading;
        status.replaceChildren(h("p", {role: "status"}, "Looking."));
        change.replaceChildren();
        const path = `v1/stream-exception-policy${endpointQuery(there[Number(where.control.value)])}`;
        shownPath = path;
        try {
            show(await ask(path, {signal: AbortSignal.any([signal, current])}), path);
        } catch (error) {
            if (!signal.aborted && !current.aborted) status.replaceChildren(notice("error", error.message));
        }
    };
    where.control.addEventListener("change", () => {
        keep();
        load();
    });
    change.addEventListener("change", () => keep(new FormData(change).get("policy")));
    connection.addEventListener("found", load, {signal});
    content.append(where, status);
    if (mayFlush) content.append(change);
    await load();
}
