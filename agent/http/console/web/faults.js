// SPDX-License-Identifier: GPL-2.0-or-later
// All faults of a request, and where each belongs. The agent reports the first one: it is left out, and the rest is checked
// again.

import {Problem} from "./api.js";
import {validate} from "./requests.js";

const MOST = 20;  // in one go; the others show once these are mended
const HARMLESS = {protocols: ["tcp"]};  // in place of a filter that is empty, which would mean every flow

const isEmpty = filter => Object.keys(filter).length === 0;

/**
 * `{filter, part, message}` for `filters[1].source: ...`, `{name, message}` for `mark: ...`, otherwise the message alone.
 * Filters are numbered from 0.
 */
export function placed(text, filter) {
    const [, index, rest] = /^filters\[(\d+)\](?:\.|: )(.*)$/s.exec(text) ?? [];
    if (index !== undefined) return placed(rest, Number(index));
    const [, name, message] = /^([a-z][\w-]*)(?:\[\d+\])?: (.*)$/s.exec(text) ?? [];
    if (filter === undefined) return name ? {name, message} : {message: text};
    const part = name?.replaceAll("-", "_").replace(/^protocol$/, "protocols");
    return part ? {filter, part, message} : {filter, message: text};
}

async function firstFault(request, signal) {
    try {
        await validate(request, signal);
        return "";
    } catch (error) {
        if (error instanceof Problem && error.status === 400) return error.message;
        throw error;
    }
}

/** A fault of one filter as a whole comes without the filter's number: each is checked by itself. */
async function located(text, request, signal) {
    const fault = placed(text);
    if (fault.name !== "filters") return fault;
    for (const [index, filter] of request.filters.entries()) {
        const alone = await firstFault({...request, filters: [filter]}, signal);
        if (alone.startsWith("filters")) return placed(alone.replace(/^filters(\[0\])?[:.] ?/, ""), index);
    }
    return fault;
}

/** Whether there was something to leave out. */
function leaveOut(request, {filter, part, name}) {
    if (filter !== undefined) {
        if (JSON.stringify(request.filters[filter]) === JSON.stringify(HARMLESS)) return false;
        if (part in request.filters[filter]) delete request.filters[filter][part];
        else request.filters[filter] = {};
        if (isEmpty(request.filters[filter])) request.filters[filter] = {...HARMLESS};
        return true;
    }
    if (!(name in request) || name === "filters" || name === "type") return false;
    delete request[name];
    return true;
}

/** Every fault of a request. An empty filter is passed over, unless every flow is meant. */
export async function faultsOf(request, {isAll, signal}) {
    const rest = structuredClone(request);
    if (!isAll) rest.filters = rest.filters.map(each => (isEmpty(each) ? {...HARMLESS} : each));
    const faults = [];
    while (faults.length < MOST) {
        const text = await firstFault(rest, signal);
        if (!text) break;
        const fault = await located(text, rest, signal);
        faults.push(fault);
        if (!leaveOut(rest, fault)) break;
    }
    return faults;
}
