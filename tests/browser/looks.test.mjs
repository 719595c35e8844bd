// SPDX-License-Identifier: GPL-2.0-or-later
// The console's appearance and accessibility: axe-core on every page, use by keyboard only, and screenshots in every width,
// light and dark. The screenshots are kept in the folder SCREENSHOTS.

import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {after, before, test} from "node:test";

import {asked, LabHost, newPage, resize, runOperation, signIn} from "./lab_host.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FOLDER = process.env.SCREENSHOTS ?? "screenshots";
const WIDTHS = [360, 390, 1024, 1280, 1600];  // docs/console has pictures of 1024

let host;
let browser;
let pages;

before(async () => {
    host = await LabHost.start("looks");
    await host.ask("talk", {port: 8080, count: 3});
    await host.ask("talk", {port: 5300, protocol: "udp"});
    browser = await host.browser();
    pages = await makePages();
});

after(async () => {
    await browser?.close();
    await host?.stop();
});

async function makePages() {
    const page = await newPage(browser);
    await signIn(page, host, "operator");
    const run = request => runOperation(page, request);
    await asked(page, "v1/stream-exception-policy?firewall=edge&availability_zone=a", {policy: "drop"}, "PUT");
    const dryRun = await run({type: "FLOW_FLUSH", dry_run: true});
    const capture = await run({type: "FLOW_CAPTURE"});
    const flush = await run({type: "FLOW_FLUSH"});
    await page.context().close();
    return [["overview", "table"], ["capture", "form"], ["flush", "form"], [`flush/exactly/${capture}`, "form"], [`confirm/${dryRun}`, "form"],
            [`operation/${flush}`, ".virtual button.link"], [`operation/${host.million}`, ".virtual button.link"], ["operations", "table"], ["log", "table"], ["policy", "form button"]];
}

async function open(page, [where, landmark]) {
    await page.goto("about:blank");
    await page.goto(`${host.url}#/${where}`);
    await page.locator(`main ${landmark}`).first().waitFor();
}

const nameOf = where => where.replace(/\/[0-9a-f-]{36}$/, host.million && where.includes(host.million) ? "-million" : "").replaceAll("/", "-");

async function violations(page) {
    // Evaluated through Playwright, because the page's content security policy blocks an added script element.
    await page.evaluate(AXE);
    const {violations: found} = await page.evaluate(() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}));
    return found.map(each => `${each.id}: ${each.nodes.map(node => node.html).slice(0, 3).join(" ")}`);
}

for (const colorScheme of ["light", "dark"]) {
    test(`axe-core finds nothing, and nothing is wider than the page (${colorScheme})`, async () => {
        const page = await newPage(browser, {colorScheme});
        await page.goto(host.url);
        await page.getByLabel("Token").waitFor();
        assert.deepEqual(await violations(page), []);
        await page.screenshot({path: `${FOLDER}/sign-in-${colorScheme}.png`});
        await signIn(page, host, "operator");
        for (const each of pages) {
            await open(page, each);
            for (const width of WIDTHS) {
                await resize(page, width);
                const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
                assert.ok(overflow <= 0, `${each[0]} at ${width} px is ${overflow} px too wide`);
                const isLooked = width === 360 || (width === 1600 && colorScheme === "light");
                if (isLooked) assert.deepEqual(await violations(page), [], `${each[0]} at ${width}`);
                await page.screenshot({path: `${FOLDER}/${nameOf(each[0])}-${width}-${colorScheme}.png`, fullPage: true});
            }
        }
        assert.deepEqual(page.faults, []);
        await page.context().close();
    });
}

test("the whole path goes by the keyboard alone", async () => {
    const page = await newPage(browser);
    const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
    /** Presses Tab until the element has the focus. */
    const tabTo = async (role, name) => {
        const wanted = page.getByRole(role, {name, exact: true}).first();
        await wanted.waitFor();
        for (let tries = 0; tries < 80; ++tries) {
            if (await wanted.evaluate(element => element === document.activeElement)) return;
            await press("Tab");
        }
        assert.fail(`${role} ${name} is not reached by Tab`);
    };
    await page.goto(host.url);
    await page.getByLabel("Token").waitFor();
    await page.keyboard.type(host.tokens.operator);
    await press("Enter");
    await page.getByRole("heading", {name: "Overview"}).waitFor();
    await host.ask("talk", {port: 8080});
    await tabTo("link", "Capture");
    await press("Enter");
    await page.getByRole("heading", {name: "Configure flow capture"}).waitFor();
    await tabTo("textbox", "Destination port");
    await page.keyboard.type("8080");
    await tabTo("button", "Capture");
    await press("Enter");
    await tabTo("link", "Flush exactly these flows");
    await press("Enter");
    await tabTo("button", "See what it would do");
    await press("Enter");
    await tabTo("button", /^Flush \d+ flows?$/);
    await press("Enter");
    await page.getByText("completed", {exact: true}).waitFor();
    await tabTo("region", "Flows");
    await press("PageDown", "Home");
    await page.context().close();
});
