// SPDX-License-Identifier: GPL-2.0-or-later
// Client of the agent's REST interface (/openapi.yaml): requests, event streams, authentication.

const TOKEN = "headgate-token";

/** An error response; the message is the agent's. */
export class Problem extends Error {
    constructor(status, detail, retryAfter) {
        super(detail);
        this.status = status;
        this.retryAfter = retryAfter;
    }
}

/** No response at all. */
export class Unreachable extends Error {}

// The token is kept for this tab, until it is closed.
export const token = {
    get: () => sessionStorage.getItem(TOKEN),
    set: value => sessionStorage.setItem(TOKEN, value),
    forget: () => sessionStorage.removeItem(TOKEN),
};

/** Events: `lost`, `found`, `signed-out`; `trouble`, whose detail is the agent's reason for not sending events. */
export const connection = new EventTarget();
let isLost = false;

const SILENCE = 40_000;  // ms; the agent sends something every 15 seconds

function found(is) {
    if (isLost === !is) return;
    isLost = !is;
    connection.dispatchEvent(new Event(is ? "found" : "lost"));
}

async function problemOf(response) {
    const text = await response.text();
    let detail = text;
    try {
        detail = JSON.parse(text).detail ?? text;
    } catch { /* a response of an intermediate proxy, in its own format */ }
    return new Problem(response.status, detail || response.statusText, Number(response.headers.get("Retry-After")));
}

/** Returns the response; the caller reads its body. */
export async function send(path, {method = "GET", body, accept = "application/json", signal, headers = {}} = {}) {
    headers = {Accept: accept, ...headers};
    if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
        response = await fetch(path, {method, headers, signal, cache: "no-store", redirect: "error",
                                      body: body === undefined ? undefined : JSON.stringify(body)});
    } catch (error) {
        if (signal?.aborted) throw error;
        found(false);
        throw new Unreachable("The gateway does not answer.");
    }
    found(true);
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status === 401) connection.dispatchEvent(new Event("signed-out"));
    throw problem;
}

export async function ask(path, options) {
    return (await send(path, options)).json();
}

/** A query string of the values that are defined. */
export function query(values) {
    const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(given.flatMap(([name, value]) => [value].flat().map(each => [name, each]))).toString();
    return text && `?${text}`;
}

export const endpointQuery = ({firewall, availability_zone}) => query({firewall, availability_zone});

/** Detects a dead connection, which reports no end. */
async function withinTime(reader) {
    let timer;
    const silence = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Unreachable("The gateway is silent.")), SILENCE);
    });
    try {
        return await Promise.race([reader.read(), silence]);
    } catch (error) {
        reader.cancel().catch(() => {});
        throw error;
    } finally {
        clearTimeout(timer);
    }
}

async function readEvents(response, sink) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
        const {done, value} = await withinTime(reader);
        if (done) return;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events) {
            const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
            if (name) sink(name, JSON.parse(data));
        }
    }
}

const pause = (milliseconds, signal) => new Promise(resolve => {
    const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
});

const trouble = text => connection.dispatchEvent(new CustomEvent("trouble", {detail: text}));

/**
 * Passes the events of a stream to `sink` until the signal aborts or `sink` returns true. Reconnects after a break, and
 * calls `begun` on each connection. Throws an error response that a retry would not change.
 */
export async function follow(path, signal, sink, begun = () => {}) {
    for (let wait = 500; !signal.aborted; wait = Math.min(2 * wait, 5000)) {
        let isOver = false;
        try {
            const response = await send(path, {accept: "text/event-stream", signal});
            trouble("");
            begun();
            await readEvents(response, (name, data) => {
                wait = 500;
                isOver = sink(name, data) === true || isOver;
            });
            if (isOver) return;
            // The stream has ended: the agent stops.
        } catch (error) {
            if (signal.aborted || isOver) return;
            if (!(error instanceof Problem)) {
                found(false);
            } else if (error.status < 500 && error.status !== 429) {
                throw error;
            } else {
                trouble(error.message);
                wait = Math.max(wait, 1000 * (error.retryAfter || 0));
            }
        }
        await pause(wait, signal);
    }
}

/** Polls until the gateway answers again. */
export async function findAgain(signal) {
    while (!signal.aborted) {
        try {
            await ask("v1/session", {signal: AbortSignal.any([signal, AbortSignal.timeout(5000)])});
            return;
        } catch (error) {
            if (error instanceof Problem) return;
        }
        await pause(1500, signal);
    }
}

/** Calls `act` now and then repeatedly. */
export async function repeat(milliseconds, signal, act) {
    while (!signal.aborted) {
        await act();
        await pause(milliseconds, signal);
    }
}
