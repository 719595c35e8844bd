// SPDX-License-Identifier: GPL-2.0-or-later
// The fixture of all tests of the console: a lab of hosts, with an agent and its console, and a browser on the gateway.

import {spawn} from "node:child_process";
import {createInterface} from "node:readline";
import {fileURLToPath} from "node:url";

import {chromium} from "playwright-core";

const HOST = fileURLToPath(new URL("lab_host.py", import.meta.url));

// Chromium must not look up or fetch anything by itself: the lab's network is the only one.
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", "--enable-precise-memory-info", "--js-flags=--expose-gc"];

export class LabHost {
    static async start(purpose) {
        const host = new LabHost();
        host.process = spawn("/usr/bin/python3", [HOST, purpose], {stdio: ["pipe", "pipe", "inherit"]});
        host.lines = createInterface({input: host.process.stdout})[Symbol.asyncIterator]();
        Object.assign(host, await host.#answer());
        return host;
    }

    async #answer() {
        const {value, done} = await this.lines.next();
        if (done) throw new Error("the lab has ended");
        const {answer, error} = JSON.parse(value);
        if (error) throw new Error(error);
        return answer;
    }

    /** `await host.ask("talk", {count: 3})` */
    ask(what, words = {}) {
        this.process.stdin.write(`${JSON.stringify({do: what, with: words})}\n`);
        return this.#answer();
    }

    async stop() {
        this.process.stdin.end();
        await new Promise(resolve => this.process.once("exit", resolve));
    }

    browser() {
        return chromium.launch({executablePath: this.chromium, args: ARGUMENTS});
    }
}

/** A page that collects uncaught exceptions and the messages of console.error in `faults`. */
export async function newPage(browser, options = {}) {
    const context = await browser.newContext({viewport: {width: 1280, height: 900}, locale: "en-GB", timezoneId: "Europe/Berlin", ...options});
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.faults = [];
    page.on("pageerror", error => page.faults.push(String(error)));
    page.on("console", message => {
        const isOfNetwork = message.text().startsWith("Failed to load resource");
        if (message.type() === "error" && !isOfNetwork) page.faults.push(message.text());
    });
    return page;
}

export async function signIn(page, host, role) {
    await page.goto(host.url);
    await page.getByLabel("Token").fill(host.tokens[role]);
    await page.getByRole("button", {name: "Sign in"}).click();
    await page.getByRole("heading", {name: "Overview", level: 1}).waitFor();
}

/** Gives the page another width, and waits until it is laid out. */
export async function resize(page, width) {
    await page.setViewportSize({width, height: 900});
    await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Sends a request to the agent as the page does. */
export const asked = (page, path, body, method = "POST") => page.evaluate(async ([where, what, how]) => {
    const headers = {Authorization: `Bearer ${sessionStorage.getItem("headgate-token")}`, "Content-Type": "application/json"};
    return (await fetch(where, {method: how, headers, body: what && JSON.stringify(what)})).json();
}, [path, body, method]);

/** Runs an operation on edge / a, by default on the flows to port 8080, and returns its id when it has ended. */
export async function runOperation(page, request) {
    const {operation_id: id} = await asked(page, "v1/operations", {firewall: "edge", availability_zone: "a", filters: [{destination_port: "8080"}], ...request});
    await asked(page, `v1/operations/${id}?wait_ms=10000`, undefined, "GET");
    return id;
}
