// SPDX-License-Identifier: GPL-2.0-or-later
// Formats values for display.

import {kindOf} from "./kinds.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const grouped = new Intl.NumberFormat("en");

export const count = value => (value === undefined ? "" : grouped.format(value));

/** `1 flow`, `2 flows` */
export const flows = value => `${count(value)} ${value === 1 ? "flow" : "flows"}`;

export function bytes(value) {
    if (value === undefined) return "";
    let unit = 0;
    while (value >= 1024 && unit < UNITS.length - 1) {
        value /= 1024;
        ++unit;
    }
    return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const padded = number => String(number).padStart(2, "0");

/** The two largest units, as in the command line: `3m07s`. */
export function duration(seconds) {
    if (seconds === undefined) return "";
    const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"],
                   [Math.floor(seconds / 60) % 60, "m"], [Math.floor(seconds) % 60, "s"]];
    const first = parts.findIndex(([value]) => value !== 0);
    if (first === -1) return "0s";
    const [[more, unit], [less, subunit] = []] = parts.slice(first);
    return more + unit + (less ? padded(less) + subunit : "");
}

const zone = new Intl.DateTimeFormat(undefined, {timeZoneName: "short", hour: "2-digit"});

/** `2026-11-29 18:10:14 CET` */
function localText(moment) {
    const day = [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()].map(padded).join("-");
    const clock = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(padded).join(":");
    const {value = ""} = zone.formatToParts(moment).find(part => part.type === "timeZoneName") ?? {};
    return `${day} ${clock} ${value}`.trimEnd();
}

/** In the browser's time zone, which it names; UTC in the tooltip. */
export function time(moment) {
    if (!moment) return "";
    // EVE writes the zone as +0000, which not every browser parses.
    if (typeof moment === "string") moment = new Date(moment.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
    const element = document.createElement("time");
    element.dateTime = moment.toISOString();
    element.title = moment.toISOString().replace("T", " ").replace("Z", " UTC");
    element.textContent = localText(moment);
    return element;
}

const bracketed = address => (address?.includes(":") ? `[${address}]` : address);

/** `10.0.1.2:443`; without a port, the address alone. */
export const end = (address, port) => (port === undefined ? address ?? "" : `${bracketed(address)}:${port}`);

export function destination(flow) {
    if (flow.icmp_type === undefined) return end(flow.destination, flow.destination_port);
    return `${flow.destination} type ${flow.icmp_type} code ${flow.icmp_code} id ${flow.icmp_id}`;
}

export const source = flow => end(flow.source, flow.source_port);

/** `netns` is that of a one-off run of the command line. */
export const place = ({firewall, availability_zone, netns}) => (firewall ? `${firewall} / ${availability_zone}` : `netns ${netns}`);

/** As in the command line: the flow state, and the protocol's own state if that differs. */
export const states = (state, own) => (state && own && own !== state ? `${state} (${own})` : state ?? own ?? "");

export const who = caller => caller?.sudo_user || caller?.user || (caller?.uid === undefined ? caller?.face ?? "" : `uid ${caller.uid}`);

const STATUS = {IN_PROGRESS: "in progress", COMPLETED: "completed", COMPLETED_WITH_ERRORS: "completed with errors", FAILED: "failed"};

export function status(operation) {
    if (operation.refused) return operation.consent === "declined" ? "declined" : "refused";
    if (operation.status === "IN_PROGRESS" && operation.phase) return operation.phase;
    return STATUS[operation.status] ?? operation.status.toLowerCase().replaceAll("_", " ");
}

export function kind(operation) {
    return operation.dry_run ? "dry run" : kindOf(operation).verb;
}

export const shortId = id => id.slice(0, 8);

/** Number of flows that a flush has ended or, for a dry run, would end. */
export function flushed({dry_run, status, counts}) {
    if (!dry_run) return counts.flushed;
    return status === "FAILED" ? 0 : counts.matched - counts.gone - counts.failed - counts.protected;
}

/** By which rules flows were spared; empty where none was. */
export const rules = ({protected_by: counted = []}) => counted.map(({rule, flows: spared}) => `${count(spared)} by ${rule}`).join("; ");

/** A rule of nftables: `inet filter forward handle 12: tcp dport 22 drop`. */
export const rule = ({family, table, chain, handle, text}) => `${family} ${table} ${chain}${handle === undefined ? "" : ` handle ${handle}`}: ${text}`;

/** Why a flow has its verdict. */
export function reason({rule: decisive, assumes = [], then: after, reason: why}) {
    if (after) return `to ${end(after.destination, after.destination_port)} from ${after.source}`;
    if (assumes.length > 0) return `assumes ${assumes.join(", ")}`;
    if (why && decisive) return `${why} (${rule(decisive)})`;
    return why ?? (decisive ? rule(decisive) : "");
}

/** A filter in the command line's syntax. */
export function filter(parts) {
    const {protocols = [], ...single} = parts;
    const words = [...Object.entries(single), ...protocols.map(each => ["protocol", each])];
    return words.map(([name, value]) => `${name.replaceAll("_", "-")}=${value}`).join(",") || "every flow";
}

/** Everything that selects the flows of an operation. */
export function scope(operation) {
    const beside = [operation.minimum_age_seconds ? `${operation.minimum_age_seconds} s old or more` : "",
                    operation.state ? `state ${operation.state}` : "", operation.match ? `match ${operation.match}` : "",
                    operation.both_directions ? "both directions" : "", operation.mark ? `mark ${operation.mark}` : "",
                    operation.zone === undefined ? "" : `conntrack zone ${operation.zone}`,
                    operation.minimum_bytes ? `${bytes(operation.minimum_bytes)} or more` : "",
                    operation.minimum_packets ? `${operation.minimum_packets} packets or more` : ""].filter(Boolean);
    const words = [operation.filters.map(filter).join(" or "), ...beside].join("; ");
    return operation.from_capture ? `what an earlier operation found: ${words}` : words;
}
