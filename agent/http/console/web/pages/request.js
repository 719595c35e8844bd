// SPDX-License-Identifier: GPL-2.0-or-later
// Form for a capture, flush or rematch. A flush continues to the page that shows what it would do.

import {ask, query as queryOf} from "../api.js";
import {candidateOf, conditionsOf, endpointChoice, flushOptions, optionsIn} from "../conditions.js";
import {checkbox, debounced, draftNotice, h, notice} from "../dom.js";
import {faultsOf, placed} from "../faults.js";
import {FilterRows} from "../filter_rows.js";
import {flows, kind, place, scope} from "../format.js";
import {kindOf, typeOf} from "../kinds.js";
import {newKey, start} from "../requests.js";

export const title = ({name, rest}) =>
    (rest[0] === "exactly" ? "Flush captured flows" : kindOf({type: typeOf(name)}).form);

/** Continues to the started operation; a flush starts with a dry run. */
async function send(request, flush, go, key, signal) {
    const {changesFlows} = kindOf(request);
    const started = await start({...request, ...(changesFlows ? {...flush, dry_run: true} : {})}, key, signal);
    if (!changesFlows) return go(`operation/${started.operation_id}`);
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

async function renderExactly(content, {rest: [, id], query, go, draft, reopen, signal}) {
    const capture = await ask(`v1/operations/${encodeURIComponent(id)}`, {signal});
    const options = await flushOptions(draft.value ?? optionsIn(query), signal);
    const faults = h("div");
    let key = newKey();
    const changed = () => {
        key = newKey();
        draft.keep(options.value);
    };
    const found = capture.ruleset ? `the ${flows(capture.counts.refused)} that the rules refuse, as the ${kind(capture)} on ${place(capture)} has found`
                                  : `the ${flows(capture.counts.matched)} that the ${kind(capture)} on ${place(capture)} found`;
    const form = h("form", {onchange: changed}, draftNotice(draft, reopen),
                   h("p", {}, `Exactly ${found} (${scope(capture)}), as far as they are still there.`),
                   options.element, faults, h("button", {class: "primary", type: "submit"}, "See what it would do"));
    form.addEventListener("submit", submitting(form, async () => {
        try {
            await send({type: typeOf("flush"), from_capture: id}, options.value, go, key, signal);
        } catch (error) {
            if (!signal.aborted) faults.replaceChildren(notice("error", error.message));
        }
    }));
    content.append(form);
}

/** The form; its request is checked while the user types. */
class RequestForm {
    #checks = 0;
    #isTried = false;
    #key = newKey();
    #faults = h("div");

    /** `given`: a draft or an earlier operation. */
    constructor({type, given, endpoint, options, draft, reopen, go, signal}) {
        Object.assign(this, {type, endpoint, options, draft, go, signal});
        this.inspect = debounced(300, () => this.#inspect());
        const isAll = given.all ?? given.filters.some(each => Object.keys(each).length === 0);
        this.conditions = conditionsOf(type, given);
        this.candidate = kindOf({type}).hasVerdicts ? candidateOf(given) : undefined;
        this.all = checkbox("Every flow", {checked: isAll});
        this.rows = new FilterRows(given.all === undefined && isAll ? [] : given.filters, () => this.#changed());
        this.rows.disabled = isAll;
        this.element = h("form", {class: "request", novalidate: true, oninput: () => this.#changed(), onchange: () => this.#changed()}, draftNotice(draft, reopen),
                         endpoint.element, this.all, this.rows.element, this.conditions.element, this.candidate?.element, options?.element, this.#faults,
                         h("button", {class: "primary", type: "submit"}, kindOf({type}).submit));
        this.element.addEventListener("submit", submitting(this.element, () => this.#submit()));
    }

    get #isAll() { return this.all.control.checked; }
    get #fields() { return {...this.endpoint.fields, ...this.conditions.fields, ...this.candidate?.fields, ...this.options?.fields}; }

    get #request() {
        const filters = this.#isAll ? [{}] : this.rows.values;
        return {type: this.type, ...this.endpoint.value, ...this.conditions.value, ...this.candidate?.value, filters, all: (this.#isAll && kindOf(this).changesFlows) || undefined};
    }

    #changed() {
        if (!this.element) return;  // still under construction
        // A changed request gets a new key; the same one, sent again, is carried out once.
        this.#key = newKey();
        this.rows.disabled = this.#isAll;
        this.draft.keep({...this.endpoint.value, ...this.conditions.value, ...this.candidate?.value, ...this.options?.value, filters: this.rows.values, all: this.#isAll});
        this.inspect();
    }

    /** To the agent an empty filter matches every flow; here it is one to fill in, which is a fault once the user has submitted. */
    async #allFaults() {
        const missing = this.#isTried ? [...(this.endpoint.isChosen ? [] : [{name: "firewall", message: "Choose a firewall and availability zone."}]),
                                         ...(this.#isAll ? [] : this.rows.emptyOnes)] : [];
        return [...missing, ...await faultsOf(this.#request, {isAll: this.#isAll, signal: this.signal})];
    }

    async #inspect() {
        const check_ = ++this.#checks;
        if (this.signal.aborted) return;
        try {
            const faults = await this.#allFaults();
            if (check_ === this.#checks) this.#explain(faults);
        } catch { /* the request itself will tell */ }
    }

    async #submit() {
        ++this.#checks;
        this.#isTried = true;
        try {
            const faults = await this.#allFaults();
            this.#explain(faults);
            if (faults.length === 0) await send(this.#request, this.options?.value, this.go, this.#key, this.signal);
        } catch (error) {
            if (!this.signal.aborted) this.#explain([placed(error.message)]);
        }
        this.element.querySelector("[aria-invalid]")?.focus();
        ++this.#checks;
    }

    /** Shows each fault at its field; those without a field above the button. */
    #explain(faults) {
        const fields = this.#fields;
        const atFields = faults.filter(({filter, name}) => filter !== undefined || fields[name]);
        const others = faults.filter(each => !atFields.includes(each));
        this.rows.complain(atFields);
        for (const each of new Set(Object.values(fields))) each.complain("");
        for (const {name, message} of atFields) if (name) fields[name].complain(message);
        this.conditions.reveal();
        const number = new Set(atFields.map(({filter, part, name}) => `${filter} ${part} ${name}`)).size;
        const summary = number === 1 ? "A field has to be corrected." : `${number} fields have to be corrected.`;
        this.#faults.replaceChildren(...others.map(({name, message}) => notice("error", name ? `${name}: ${message}` : message)),
                                     ...(this.#isTried && number > 0 ? [notice("error", summary)] : []));
    }
}

export async function render(content, context) {
    const {name, rest, query, draft, reopen, go, signal} = context;
    if (rest[0] === "exactly") return renderExactly(content, context);
    const like = query.get("like");
    const given = draft.value ?? (like ? {...await ask(`v1/operations/${encodeURIComponent(like)}`, {signal}), ...optionsIn(query)} : {filters: []});
    const type = typeOf(name);
    const endpoint = await endpointChoice(given, signal);
    const options = kindOf({type}).changesFlows ? await flushOptions(given, signal) : undefined;
    content.append(new RequestForm({type, given, endpoint, options, draft, reopen, go, signal}).element);
    return undefined;
}
