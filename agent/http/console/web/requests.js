// SPDX-License-Identifier: GPL-2.0-or-later
// Requests for operations.

import {ask} from "./api.js";

/** An idempotency key: the agent carries out requests with the same key once. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(each => each.toString(16).padStart(2, "0")).join("");

export const start = (request, key, signal) =>
    ask("v1/operations", {method: "POST", body: request, headers: {"Idempotency-Key": key}, signal});

export const validate = (request, signal) => ask("v1/validate", {method: "POST", body: request, signal});

/** All endpoints as `{firewall, availability_zone, ...}`. */
export async function endpoints(signal) {
    const {firewalls} = await ask("v1/firewalls", {signal});
    const all = firewalls.flatMap(({name, endpoints: there}) => there.map(each => ({firewall: name, ...each})));
    if (all.length === 0) throw new Error("There is no endpoint: the configuration names none that these credentials are for.");
    return all;
}
