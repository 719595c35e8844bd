// SPDX-License-Identifier: GPL-2.0-or-later
// The console in use: each test is a task of an operator.

import assert from "node:assert/strict";
import {after, afterEach, before, describe, test} from "node:test";

import {LabHost, newPage, signIn} from "./lab_host.mjs";

let host;
let browser;
let page;

before(async () => {
    host = await LabHost.start("console");
    browser = await host.browser();
});

after(async () => {
    await browser?.close();
    await host?.stop();
});

afterEach(async () => {
    assert.deepEqual(page?.faults ?? [], []);
    await page?.context().close();
    page = undefined;
});

const go = (where, heading) => page.goto(`${host.url}#/${where}`)
    .then(() => page.getByRole("heading", {name: heading, level: 1}).waitFor());
const filterRow = number => page.getByRole("group", {name: `Filter ${number}`, exact: true});
const fact = name => page.locator("dl.facts > div", {has: page.getByText(name, {exact: true})}).locator("dd");
const faultAt = (label, within = page) => within.locator(".field", {has: page.getByLabel(label, {exact: true})}).locator(".fault:visible");
const cells = column => page.locator(`.virtual tbody td.${column}`);

async function as(role) {
    page = await newPage(browser);
    await signIn(page, host, role);
}

/** Captures the flows to a port, and waits for the end of the capture. */
async function capture(port) {
    await go("capture", "Configure flow capture");
    await filterRow(1).getByLabel("Destination port").fill(String(port));
    await filterRow(1).getByLabel("tcp").check();
    await page.getByRole("button", {name: "Capture"}).click();
    await page.getByText("completed", {exact: true}).waitFor();
    return page.url().split("/").at(-1);
}

describe("Signing in", () => {
    test("a wrong token is not accepted, and the right one stays in the tab", async () => {
        page = await newPage(browser);
        await page.goto(host.url);
        await page.getByLabel("Token").fill("wrong");
        await page.getByRole("button", {name: "Sign in"}).click();
        await page.getByRole("alert").waitFor();
        await page.getByLabel("Token").fill(host.tokens.viewer);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", {name: "Overview"}).waitFor();
        await page.reload();
        await page.getByText("dashboard (viewer)").waitFor();
        assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
        await page.getByRole("button", {name: "Sign out"}).click();
        await page.getByLabel("Token").waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    });

    test("a viewer captures, and sees no flush", async () => {
        await host.ask("talk", {port: 8080});
        await as("viewer");
        assert.equal(await page.getByRole("link", {name: "Flush"}).count(), 0);
        await capture(8080);
        assert.equal(await page.getByText("Flush", {exact: false}).count(), 0);
        await go("flush", "Configure flow flush");
        await page.getByText("A flush requires the role operator.").waitFor();
        await go("policy", "Stream exception policy");
        await fact("State").waitFor();
        assert.equal(await page.getByRole("button", {name: "Apply"}).count(), 0);
    });
});

describe("The path of an engineer on call", () => {
    test("capture, look, put a policy in force, flush exactly these, see the log record", async () => {
        await host.ask("talk", {port: 8080, count: 2});
        await as("operator");
        const id = await capture(8080);
        const matched = Number(await fact("Matched").textContent());
        assert.ok(matched >= 2);
        assert.equal(await cells("destination").first().textContent(), `${host.server}:8080`);

        await go("policy", "Stream exception policy");
        await page.getByLabel("reject", {exact: false}).check();
        await page.getByRole("button", {name: "Apply"}).click();
        await fact("State").getByText("in force", {exact: true}).waitFor();

        await go(`operation/${id}`, "Operation");
        await page.getByRole("link", {name: "Flush exactly these flows"}).click();
        await page.getByRole("button", {name: "See what it would do"}).click();
        await page.getByText("get a reset as soon as they send").waitFor();
        assert.equal(await fact("Flows to be ended").textContent(), `${matched} flows`);
        await page.getByRole("button", {name: `Flush ${matched} flows`}).click();
        await page.getByRole("heading", {name: "Operation"}).waitFor();
        await fact("Flushed").getByText(String(matched), {exact: true}).waitFor();
        assert.deepEqual([...new Set(await cells("outcome").allTextContents())], ["flushed"]);
        assert.equal(await host.ask("going_on", {number: 0}), false, "the policy keeps them from coming back");

        await go("log", "Flow log");
        await page.getByLabel("flushed").check();
        const row = page.getByRole("row").filter({hasText: `${host.server}:8080`}).filter({hasText: "on-call"});
        await row.first().waitFor();
        assert.match(await row.first().textContent(), /flushed.*ESTABLISHED/);

        await go("overview", "Overview");
        await page.getByRole("region", {name: "Midstream packets, edge / a"}).getByRole("row", {name: /reject tcp \d/}).waitFor();
        await go("policy", "Stream exception policy");
        await page.getByRole("button", {name: "Remove the policy"}).click();
        await page.getByText("no policy is in force").waitFor();
    });

    test("by the same filters, what is protected is left alone", async () => {
        await host.ask("talk", {port: 5300, protocol: "udp"});
        await host.ask("talk", {port: 8080});
        await as("operator");
        await go("flush", "Configure flow flush");
        await page.getByLabel("Every flow").check();
        await page.getByRole("button", {name: "See what it would do"}).click();
        await fact("Protected by").getByText(/by protected: destination-port=5300,protocol=udp/).waitFor();
        await page.getByText("Without a policy, flows are back").waitFor();
        await page.evaluate(() => { location.hash += "?include_protected=true"; });
        await fact("Protected, left alone").waitFor();
        await page.getByRole("button", {name: "Back"}).click();
        await page.getByRole("heading", {name: "Configure flow flush"}).waitFor();
        assert.equal(await page.getByLabel("Every flow").isChecked(), true);
        await page.getByRole("button", {name: "See what it would do"}).click();
        await page.getByRole("button", {name: /^Flush \d+ flow/}).click();
        await page.getByText("completed", {exact: true}).waitFor();
        assert.ok((await cells("outcome").allTextContents()).includes("protected"));
        await page.getByText(/^Protected, left alone: .*by protected: destination-port=5300,protocol=udp/).waitFor();
        assert.equal(await host.ask("going_on", {number: 3}), true);
        await fact("Earlier operation").getByRole("link").click();
        await page.getByRole("link", {name: "Capture again"}).click();
        assert.equal(await page.getByLabel("Every flow").isChecked(), true);
    });

    test("what is protected is flushed by those who say so, and are told so", async () => {
        await host.ask("talk", {port: 5300, protocol: "udp"});
        await as("operator");
        await go("flush", "Configure flow flush");
        await filterRow(1).getByLabel("Destination port").fill("5300");
        await page.getByLabel("Also flows that the configuration protects").check();
        await page.getByLabel("Stream exception policy").selectOption("drop");
        await page.getByRole("button", {name: "See what it would do"}).click();
        await page.getByText("your own session, are among those that are ended").waitFor();
        await page.getByText("drop is put in force first, and stays in force").waitFor();
        await page.getByRole("button", {name: /^Flush \d+ flow/}).click();
        await page.getByText("completed", {exact: true}).waitFor();
        await page.getByText("Policy drop was put in force by this flush, and stays in force.").waitFor();
        assert.deepEqual([...new Set(await cells("outcome").allTextContents())], ["flushed"]);
        await go("policy", "Stream exception policy");
        await page.getByRole("button", {name: "Remove the policy"}).click();
        await page.getByText("no policy is in force").waitFor();
    });

    test("a large flush takes the number of flows, typed", async () => {
        await host.ask("fill", {count: 1234});
        await as("operator");
        await go("flush", "Configure flow flush");
        await filterRow(1).getByLabel("Source", {exact: true}).fill("10.9.0.0/16");
        await page.getByRole("button", {name: "See what it would do"}).click();
        const button = page.getByRole("button", {name: "Flush 1,234 flows"});
        await button.waitFor();
        assert.equal(await button.isDisabled(), true);
        await page.getByLabel(/Type the number/).fill("123");
        assert.equal(await button.isDisabled(), true);
        await page.getByLabel(/Type the number/).fill("1234");
        await button.click();
        await fact("Flushed").getByText("1,234").waitFor();
    });

    test("the history has it all, by zone and type", async () => {
        await as("viewer");
        await go("operations", "Operation history");
        await page.getByRole("row", {name: /^capture/}).first().waitFor();
        await page.getByLabel("Type").selectOption("Flushes and dry runs");
        await page.getByRole("row", {name: /^capture/}).first().waitFor({state: "detached"});
        await page.getByRole("link", {name: /^flush /}).first().click();
        await page.getByRole("heading", {name: "Operation", level: 1}).waitFor();
        await go("operations", "Operation history");
        await page.getByLabel("Where").selectOption("core / a");
        await page.getByText("There is none").waitFor();
    });
});

describe("While typing", () => {
    test("a bad prefix is reported at its field, in the agent's words", async () => {
        await as("viewer");
        await go("capture", "Configure flow capture");
        const source = filterRow(1).getByLabel("Source", {exact: true});
        await source.fill("10.0.1.0/33");
        await filterRow(1).getByText(/^10\.0\.1\.0\/33: /).waitFor();
        assert.equal(await source.getAttribute("aria-invalid"), "true");
        await source.fill("10.0.1.0/24");
        await filterRow(1).getByText(/^10\.0\.1\.0\/33: /).waitFor({state: "hidden"});
        await filterRow(1).getByLabel("Destination port").fill("70000");
        await faultAt("Destination port", filterRow(1)).getByText("70000").waitFor();
    });

    test("what is no number is not passed over", async () => {
        await as("viewer");
        await go("capture", "Configure flow capture");
        await page.getByLabel("Every flow").check();
        await page.getByLabel("Minimum age, seconds").fill("5m");
        await faultAt("Minimum age, seconds").waitFor();
        await page.getByRole("button", {name: "Capture"}).click();
        await page.getByText("A field has to be corrected.").waitFor();
        await faultAt("Minimum age, seconds").waitFor();
        await page.getByLabel("Minimum age, seconds").fill("3600");
        await page.getByRole("button", {name: "Capture"}).click();
        await page.getByText("3600 s old or more").waitFor();
    });

    test("there are twenty filters and no more; one that is empty is not sent", async () => {
        await as("viewer");
        await go("capture", "Configure flow capture");
        for (let number = 2; number <= 20; ++number) await page.getByRole("button", {name: "Add a filter"}).click();
        await page.getByText("20 filters are the most").waitFor();
        assert.equal(await page.getByRole("button", {name: "Add a filter"}).isDisabled(), true);
        await page.getByRole("button", {name: "Capture"}).click();
        await page.getByText("20 fields have to be corrected.").waitFor();
        await faultAt("Source", filterRow(20)).getByText("Fill in a part of this filter, or remove it.").waitFor();
        await filterRow(20).getByRole("button", {name: "Remove"}).click();
        assert.equal(await page.getByRole("button", {name: "Add a filter"}).isEnabled(), true);
        for (let number = 1; number <= 19; ++number) await filterRow(number).getByLabel("Destination port").fill(String(8000 + number));
        await page.getByRole("button", {name: "Capture"}).click();
        await page.getByText("completed", {exact: true}).waitFor();
    });
});

describe("A million flows", () => {
    test("are scrolled and paged in a heap below 150 MB", async () => {
        await as("viewer");
        await go(`operation/${host.million}`, "Operation");
        await page.getByText("1,000,000 flows").waitFor();
        const table = page.locator(".virtual");
        for (const share of [0.1, 0.5, 0.3, 0.9, 0.7]) {
            await table.evaluate((element, to) => { element.scrollTop = to * element.scrollHeight; }, share);
            await page.waitForFunction(wanted => {
                const row = document.querySelector(".virtual tbody tr");
                return row.querySelector("button.link") && Math.abs(row.getAttribute("aria-rowindex") - wanted) < 1000;
            }, share * 1e6);
        }
        await table.focus();
        await page.keyboard.press("End");
        await page.locator('.virtual tr[aria-rowindex="1000001"] button').waitFor();
        await page.keyboard.press("PageUp");
        await page.keyboard.press("Home");
        await page.locator('.virtual tr[aria-rowindex="2"] button').waitFor();
        await table.hover();
        await page.mouse.wheel(0, 300);
        await page.waitForFunction(() => document.querySelector(".virtual tbody tr").getAttribute("aria-rowindex") === "11");
        for (let row = 1; row < 1_000_000; row += 20_011) {
            await page.getByLabel("Go to row").fill(String(row));
            await page.keyboard.press("Enter");
            await page.locator(`.virtual tr[aria-rowindex="${row + 1}"] button`).waitFor();
        }
        await page.getByLabel("Search what is loaded").fill("tcp");
        await page.getByText(/of the 20,000 that are loaded/).waitFor();
        await page.getByRole("button", {name: "Source"}).click();
        const session = await page.context().newCDPSession(page);
        await session.send("HeapProfiler.enable");
        await session.send("HeapProfiler.collectGarbage");
        const {usedSize} = await session.send("Runtime.getHeapUsage");
        console.log(`heap after a million flows: ${(usedSize / 2 ** 20).toFixed(1)} MiB`);
        assert.ok(usedSize < 150e6);
    });

    test("are sorted, searched, copied and downloaded as far as they are loaded", async () => {
        await host.ask("fill", {count: 700});
        await as("viewer");
        await go("capture", "Configure flow capture");
        await filterRow(1).getByLabel("Source", {exact: true}).fill("10.9.0.0/16");
        await page.getByRole("button", {name: "Capture"}).click();
        await page.getByText("700 flows").waitFor();
        await page.getByLabel("Search what is loaded").fill("10.9.0.1");
        await page.getByRole("button", {name: "Load 5,000 more"}).click();
        await page.getByText("700 flows of the 700 that are loaded").waitFor();
        await page.getByRole("button", {name: "Source"}).click();
        await page.getByRole("button", {name: "Source"}).click();
        assert.equal(await cells("source").first().textContent(), "10.9.0.1:699");
        await page.getByRole("button", {name: "Copy what is loaded"}).click();
        await page.waitForFunction(async () => (await navigator.clipboard.readText()).split("\n").length === 701);
        for (const [name, lines] of [["CSV", 701], ["NDJSON", 700]]) {
            const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", {name: `Download ${name}`}).click()]);
            const chunks = [];
            for await (const chunk of await download.createReadStream()) chunks.push(chunk);
            assert.equal(Buffer.concat(chunks).toString().trimEnd().split("\n").length, lines);
        }
        await cells("protocol").first().getByRole("button").click();
        await page.getByRole("dialog").getByText('"protocol": "udp"').waitFor();
        await page.keyboard.press("Escape");
    });
});

describe("When the gateway is away", () => {
    test("it is said, and healed by itself", async () => {
        await as("operator");
        await page.getByRole("region", {name: "edge / a", exact: true}).getByText("In use").waitFor();
        await host.ask("kill_agent");
        await page.getByText("The connection to the gateway is lost").waitFor();
        await host.ask("start_agent");
        await page.getByText("The connection to the gateway is lost").waitFor({state: "hidden"});
        await host.ask("fill", {count: 42});
        const before = await fact("In use").first().textContent();
        await host.ask("fill", {count: 4000});
        await page.waitForFunction(text => document.querySelector(".cards dd").textContent !== text, before);
    });

    test("on a loopback listener that asks for nothing there is no signing in", async () => {
        await host.ask("open_agent");
        page = await newPage(browser);
        await page.goto(host.url);
        await page.getByText("loopback (operator)").waitFor();
        assert.equal(await page.getByRole("button", {name: "Sign out"}).count(), 0);
    });
});
