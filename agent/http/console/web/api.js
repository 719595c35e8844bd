// The agent's REST interface, as /openapi.yaml describes it: questions, streams of events, and who asks them.

const TOKEN = "headgate-token";

/** What the agent says is wrong, in its own words. */
export class Problem extends Error {
    constructor(status, detail, retryAfter) {
        super(detail);
        this.status = status;
        this.retryAfter = retryAfter;
    }
}

/** There is no answer at all. */
export class Unreachable extends Error {}

// The token stays in this tab, and is gone with it.
export const token = {
    get: () => sessionStorage.getItem(TOKEN),
    set: value => sessionStorage.setItem(TOKEN, value),
    forget: () => sessionStorage.removeItem(TOKEN),
};

/** Says `lost`, `found` and `signed-out`; and `trouble`, whose detail is what the agent says instead of telling events. */
export const connection = new EventTarget();
let isLost = false;

const SILENCE = 40_000;  // the agent says something every 15 seconds

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
    } catch { /* a proxy in between, which says what it likes */ }
    return new Problem(response.status, detail || response.statusText, Number(response.headers.get("Retry-After")));
}

/** The response, whose body is still to be read. */
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

/** A query of those values that are there. */
export function query(values) {
    const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(given.flatMap(([name, value]) => [value].flat().map(each => [name, each]))).toString();
    return text && `?${text}`;
}

export const endpointQuery = ({firewall, availability_zone}) => query({firewall, availability_zone});

/** A connection that has died says nothing, not even that. */
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

async function readEvents(response, take) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
        const {done, value} = await withinTime(reader);
        if (done) return;
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const event of events) {
            const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
            if (name) take(name, JSON.parse(data));
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
 * Takes the events of a stream until the signal ends it or `take` returns true; begins again when it breaks off, and says
 * so by `begun`. An answer that will be the same the next time is thrown.
 */
export async function follow(path, signal, take, begun = () => {}) {
    for (let wait = 500; !signal.aborted; wait = Math.min(2 * wait, 5000)) {
        let isOver = false;
        try {
            const response = await send(path, {accept: "text/event-stream", signal});
            trouble("");
            begun();
            await readEvents(response, (name, data) => {
                wait = 500;
                isOver = take(name, data) === true || isOver;
            });
            if (isOver) return;
            // A stream that ends by itself is that of an agent that ends.
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

/** Whether the gateway answers again, asked until it does. */
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

/** Does something now, and again and again. */
export async function repeat(milliseconds, signal, act) {
    while (!signal.aborted) {
        await act();
        await pause(milliseconds, signal);
    }
}
