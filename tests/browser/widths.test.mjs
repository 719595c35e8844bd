// SPDX-License-Identifier: GPL-2.0-or-later
// What an operator must see, on a telephone, a laptop and a large screen.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {createHash} from "node:crypto";
import {after, before, describe, test} from "node:test";

import {asked, LabHost, newPage, resize, runOperation, signIn} from "./lab_host.mjs";

const FOLDER = process.env.SCREENSHOTS ?? "screenshots";
const NARROW = 390;
const WIDTHS = [NARROW, 1280, 1600];
const HEIGHT = 900;

const TWENTY = Array.from({length: 20}, (_, index) => ({source: `10.${index}.0.0/16`, destination: `192.0.2.${index}`, destination_port: String(8000 + index), protocols: ["tcp"]}));

let host;
let browser;
const made = {};

before(async () => {
    host = await LabHost.start("widths");
    browser = await host.browser();
    await host.ask("talk", {port: 8080, count: 3});
    await host.ask("talk", {port: 8080, address: host.server6});
    await host.ask("talk", {port: 5300, protocol: "udp"});
    const page = await newPage(browser);
    await signIn(page, host, "long");
    await asked(page, "v1/stream-exception-policy?firewall=edge&availability_zone=a", {policy: "reject"}, "PUT");
    made.capture = await runOperation(page, {type: "FLOW_CAPTURE", filters: [{}]});
    made.twenty = await runOperation(page, {type: "FLOW_CAPTURE", filters: TWENTY});
    made.dryRun = await runOperation(page, {type: "FLOW_FLUSH", dry_run: true});
    made.declined = (await asked(page, "v1/operations", {type: "FLOW_FLUSH", from_capture: made.dryRun, consent: "declined"})).operation_id;
    made.refused = await runOperation(page, {type: "FLOW_FLUSH", maximum_flows: 1});
    made.flush = await runOperation(page, {type: "FLOW_FLUSH", filters: [{destination_port: "8080"}, {destination_port: "5300"}]});
    await page.context().close();
    await host.ask("talk", {port: 8080, count: 2});
});

after(async () => {
    await browser?.close();
    await host?.stop();
});

const pages = () => [["overview", ".cards tbody tr"], ["capture", "form"], ["flush", "form"], [`flush/exactly/${made.capture}`, "form"], [`confirm/${made.dryRun}`, "form"],
                     [`operation/${made.capture}`, ".virtual button.link"], [`operation/${made.twenty}`, ".told"], [`operation/${made.dryRun}`, ".virtual button.link"],
                     [`operation/${made.flush}`, ".virtual button.link"], [`operation/${made.refused}`, ".told"], [`operation/${made.declined}`, ".told"],
                     ["operations", "tbody tr"], ["log", "tbody tr"], ["policy", "tbody tr"]];

/** Runs `look` with a signed-in page in each width. */
function inEachWidth(name, look) {
    for (const width of WIDTHS) {
        test(`${name} (${width} px)`, async () => {
            const page = await newPage(browser, {viewport: {width, height: HEIGHT}});
            await signIn(page, host, "long");
            await look(page, width);
            assert.deepEqual(page.faults, []);
            await page.context().close();
        });
    }
}

async function open(page, where, landmark = "h1") {
    await page.goto("about:blank");
    await page.goto(`${host.url}#/${where}`);
    await page.locator(`main ${landmark}`).first().waitFor();
}

const box = locator => locator.boundingBox();
const fact = (page, name) => page.locator("dl.facts > div", {has: page.getByText(name, {exact: true})}).locator("dd");
const faultAt = (page, label, within = page) => within.locator(".field", {has: page.getByLabel(label, {exact: true})}).locator(".fault:visible");
const filterRow = (page, number) => page.getByRole("group", {name: `Filter ${number}`, exact: true});

/** What is wrong with the layout of the page that is open; runs in the browser. */
function layoutFaults() {
    const isLeft = element => getComputedStyle(element).textAlign !== "right";
    const all = selector => [...document.querySelectorAll(selector)];
    return {
        wider: [document.documentElement, ...all(".scrolls, .virtual")].filter(each => each.scrollWidth > each.clientWidth)
            .map(each => `${each.ariaLabel ?? "page"}: ${each.scrollWidth} > ${each.clientWidth}`),
        leftNumbers: all("main td").filter(each => /^(would flush )?[\d,.]+( [KMGTP]?i?B)?$/.test(each.textContent) && isLeft(each)).map(each => each.textContent),
        leftHeads: all("main th.number").filter(isLeft).map(each => each.textContent),
        times: all("main time").map(each => [each.textContent, each.title]),
    };
}

describe("On every page", () => {
    const seen = [];
    before(async () => {
        const page = await newPage(browser);
        await signIn(page, host, "long");
        for (const [where, landmark] of pages()) {
            await open(page, where, landmark);
            for (const width of WIDTHS) {
                await resize(page, width);
                seen.push({...await page.evaluate(layoutFaults), where, width});
                await page.screenshot({path: `${FOLDER}/seen-${where.replace(made.refused, "refused").replace(made.flush, "flushed").replace(made.twenty, "twenty")
                    .replace(/[0-9a-f-]{36}/, "").replaceAll("/", "-")}-${width}.png`, fullPage: true});
            }
        }
        assert.deepEqual(page.faults, []);
        await page.context().close();
    });

    test("nothing is behind a scroll bar", () => {
        for (const {where, width, wider} of seen) assert.deepEqual(wider, [], `${where} at ${width} px`);
    });

    test("numbers are aligned to the right, below a head that is, too", () => {
        for (const {where, width, leftNumbers, leftHeads} of seen) assert.deepEqual([...leftNumbers, ...leftHeads], [], `${where} at ${width} px`);
    });

    test("times name their zone, have 24 hours, and show UTC on hover", () => {
        for (const page of ["operations", `operation/${made.flush}`, "log"]) assert.ok(seen.some(({where, times}) => where === page && times.length > 0), page);
        for (const [text, title] of seen.flatMap(each => each.times)) {
            assert.match(text, /^\d{4}-\d\d-\d\d ([01]\d|2[0-3]):\d\d:\d\d CES?T$/);
            assert.match(title, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$/);
        }
    });
});

describe("The history", () => {
    const row = (page, id) => page.getByRole("row").filter({has: page.locator(`a[href="#/operation/${id}"]`)});

    inEachWidth("shows every column of every operation, as cards where it is narrow", async (page, width) => {
        await open(page, "operations", "tbody tr");
        const cells = row(page, made.flush).getByRole("cell");
        const titles = ["Operation", "Status", "Where", "Requested", "By", "Which flows", "Matched", "Flushed"];
        assert.equal(await cells.count(), titles.length);
        for (const [index, title] of titles.entries()) {
            const {x, width: wide, height} = await box(cells.nth(index));
            assert.ok(x >= 0 && x + wide <= width && wide > 20 && height > 10, `${title} is from ${x} to ${x + wide}`);
            assert.equal(await cells.nth(index).getAttribute("data-title"), title);
            const label = await cells.nth(index).evaluate(element => getComputedStyle(element, "::before").content);
            assert.equal(label !== "none", width === NARROW);
        }
        assert.match(await cells.nth(4).textContent(), new RegExp(host.longName));
        assert.equal(await page.getByRole("columnheader").count(), titles.length);
    });

    inEachWidth("tells dry runs, flushes, refused and declined flushes apart", async page => {
        await open(page, "operations", "tbody tr");
        const cells = id => row(page, id).getByRole("cell");
        assert.match(await cells(made.dryRun).first().textContent(), /^dry run /);
        assert.equal(await cells(made.dryRun).last().textContent(), "would flush 4");
        assert.match(await cells(made.flush).first().textContent(), /^flush /);
        assert.equal(await cells(made.flush).last().textContent(), "4");
        assert.match(await cells(made.refused).nth(1).textContent(), /^refused.*4 flows/);
        assert.match(await cells(made.declined).first().textContent(), /^flush /);
        assert.equal(await cells(made.declined).nth(1).textContent(), "declinednot confirmed: nothing was flushed");
        assert.equal(await cells(made.declined).last().textContent(), "0");
        await open(page, `operation/${made.declined}`, ".told");
        assert.equal(await fact(page, "Status").textContent(), "declined");
        await page.getByText("not confirmed: nothing was flushed", {exact: true}).waitFor();
    });
});

describe("A form", () => {
    inEachWidth("keeps what was typed when the user leaves and comes back, until they start afresh", async page => {
        await open(page, "capture", "form");
        await filterRow(page, 1).getByLabel("Source", {exact: true}).fill("10.0.1.0/24");
        await filterRow(page, 1).getByLabel("tcp").check();
        await page.getByRole("button", {name: "Add a filter"}).click();
        await filterRow(page, 2).getByLabel("Destination port").fill("not yet a port");
        await page.getByLabel("Minimum age, seconds").fill("5 minutes");
        await page.getByRole("link", {name: "Overview"}).click();
        await page.getByRole("heading", {name: "Overview"}).waitFor();
        await page.goBack();
        assert.equal(await filterRow(page, 1).getByLabel("Source", {exact: true}).inputValue(), "10.0.1.0/24");
        assert.equal(await filterRow(page, 1).getByLabel("tcp").isChecked(), true);
        assert.equal(await filterRow(page, 2).getByLabel("Destination port").inputValue(), "not yet a port");
        assert.equal(await page.getByLabel("Minimum age, seconds").inputValue(), "5 minutes");
        await page.reload();
        assert.equal(await filterRow(page, 1).getByLabel("Source", {exact: true}).inputValue(), "10.0.1.0/24");
        await page.getByRole("button", {name: "Start afresh"}).click();
        await filterRow(page, 2).waitFor({state: "detached"});
        assert.equal(await filterRow(page, 1).getByLabel("Source", {exact: true}).inputValue(), "");

        await open(page, "log", "form, .checks");
        await page.getByLabel("flushed", {exact: true}).check();
        await page.getByLabel("Filter").fill("protocol=tcp");
        await open(page, "operations", "select");
        await page.getByLabel("Type").selectOption("Captures");
        await open(page, "log", ".checks");
        assert.equal(await page.getByLabel("flushed", {exact: true}).isChecked(), true);
        assert.equal(await page.getByLabel("Filter").inputValue(), "protocol=tcp");
        await open(page, "operations", "tbody tr");
        assert.equal(await page.getByRole("link", {name: /^dry run/}).count(), 0);
        await page.getByRole("button", {name: "Sign out"}).click();
        await page.getByLabel("Token").waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    });

    inEachWidth("shows every fault at its field, and says how filters combine", async page => {
        await open(page, "flush", "form");
        await page.getByText("A flow is meant when it matches any of the filters. It matches a filter when every part that is filled in fits").waitFor();
        const [first, second, third] = [1, 2, 3].map(number => filterRow(page, number));
        await first.getByLabel("Source", {exact: true}).fill("10.0.1.0/33");
        await first.getByLabel("Destination port").fill("70000");
        await page.getByRole("button", {name: "Add a filter"}).click();
        await second.getByLabel("Source", {exact: true}).fill("10.0.1.0/24");
        await second.getByLabel("Destination", {exact: true}).fill("2001:db8::/32");
        await second.getByLabel("Other protocols").fill("nonsense");
        await page.getByText("More conditions").click();
        await page.getByLabel("Mark").fill("red");
        await page.getByLabel("Minimum age, seconds").fill("5m");
        await faultAt(page, "Source", first).getByText("/33").waitFor();
        await faultAt(page, "Destination port", first).getByText("70000").waitFor();
        await faultAt(page, "Destination", second).getByText("not of the same family").waitFor();
        await faultAt(page, "Other protocols", second).getByText("nonsense").waitFor();
        await faultAt(page, "Mark").waitFor();
        await faultAt(page, "Minimum age, seconds").waitFor();
        assert.equal(await page.locator("[aria-invalid]").count(), 6);
        await page.getByRole("button", {name: "Add a filter"}).click();
        await page.getByRole("button", {name: "See what it would do"}).click();
        await faultAt(page, "Source", third).getByText("Fill in a part of this filter, or remove it.").waitFor();
        await page.getByText("7 fields have to be corrected.").waitFor();
        assert.equal(await first.getByLabel("Source", {exact: true}).evaluate(element => element === document.activeElement), true);
    });
});

describe("An operation", () => {
    inEachWidth("leads with its flows, below facts of two lines", async (page, width) => {
        for (const id of [made.capture, made.twenty, made.flush]) {
            await open(page, `operation/${id}`, ".told");
            if (width === NARROW) continue;
            const facts = await box(page.locator(".account"));
            assert.ok(facts.height <= 55, `the facts take ${facts.height} px`);
            const table = await box(page.locator(".virtual"));
            assert.ok(table.y < HEIGHT / 2, `the flows begin at ${table.y} px`);
        }
        await open(page, `operation/${made.twenty}`, ".told");
        await page.getByRole("button", {name: "all 20 filters"}).click();
        await page.getByText("destination-port=8019").waitFor();
        await page.getByRole("button", {name: "less"}).click();
    });

    inEachWidth("has flows without an empty line, as cards where it is narrow", async (page, width) => {
        await open(page, `operation/${made.flush}`, ".virtual button.link");
        const empty = await page.locator(".virtual tbody tr").first().evaluate(row => {
            const bottoms = [...row.querySelectorAll("td")].map(cell => cell.getBoundingClientRect().bottom);
            return row.getBoundingClientRect().bottom - Math.max(...bottoms);
        });
        assert.ok(empty >= 0 && empty <= (width === NARROW ? 12 : 2), `${empty} px are empty`);
    });

    inEachWidth("says until when a flush's flows are blocked, and that new connections are another matter", async page => {
        await open(page, `operation/${made.flush}`, ".virtual button.link");
        const message = page.getByText(/The flushed flows (are|were) blocked until/);
        await message.waitFor();
        assert.match(await message.textContent(), /until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d CES?T; later packets are judged by your rules\. To stop new connections/);
        await open(page, `operation/${made.dryRun}`, ".virtual button.link");
        await page.getByText("it has ended no flow").waitFor();
        assert.equal(await fact(page, "Would flush").textContent(), "4");
        assert.equal(await fact(page, "Flushed").count(), 0);
    });

    inEachWidth("that found nothing says that the table there is empty", async page => {
        const operation = await asked(page, `v1/operations/${made.capture}`, undefined, "GET");
        const nothing = {...operation, empty_table: true, counts: {...operation.counts, scanned: 0, matched: 0}};
        await page.route(`**/v1/operations/${made.capture}/events`,
                         route => route.fulfill({contentType: "text/event-stream", body: `event: end\ndata: ${JSON.stringify(nothing)}\n\n`}));
        await open(page, `operation/${made.capture}`, ".told");
        await page.getByText("The flow table of edge / a is empty, and connection tracking may be off there").waitFor();
    });

    inEachWidth("uses the words of the field", async page => {
        await open(page, `operation/${made.flush}`, ".virtual button.link");
        for (const state of await page.locator(".virtual td.state").allTextContents()) {
            assert.match(state, /^(NEW|ESTABLISHED|CLOSED)( \([A-Z0-9_]+\))?$/, "the flow state, and the protocol's own, as in the command line");
        }
        for (const name of ["Scanned", "Already ended"]) assert.match(await fact(page, name).textContent(), /^\d+$/);
        await open(page, `confirm/${made.dryRun}`, "form");
        await fact(page, "Flows to be ended").waitFor();
        await open(page, "log", ".checks");
        await page.getByLabel("Pause").waitFor();
        await open(page, "policy", "dl");
        await fact(page, "State").getByText("in force", {exact: true}).waitFor();
    });
});

describe("The overview", () => {
    inEachWidth("uses the width it has, and its charts have titles", async (page, width) => {
        await open(page, "overview", "figure");
        await page.getByRole("region", {name: "core / a", exact: true}).waitFor();
        const cards = await Promise.all((await page.locator(".cards > .card").all()).map(box));
        assert.ok(Math.max(...cards.map(each => each.x + each.width)) >= width - 20);
        for (const title of ["Flows in the table, last 3m", "Midstream packets caught per second, last 3m"]) {
            assert.equal(await page.locator("figcaption").getByText(title, {exact: true}).count(), 2);
        }
    });
});

describe("Signing in", () => {
    for (const width of WIDTHS) {
        test(`says how to get a token, by a command that works (${width} px)`, async () => {
            const page = await newPage(browser, {viewport: {width, height: HEIGHT}});
            await page.goto(host.url);
            const commands = page.locator("section", {has: page.getByRole("heading", {name: "How to get a token"})}).locator("pre");
            const said = execFileSync("bash", ["-c", await commands.first().textContent()], {encoding: "utf8"});
            const [, token, hash] = /^token: +(\S+)\nsha256: ([0-9a-f]{64})\n$/.exec(said);
            assert.equal(createHash("sha256").update(token).digest("hex"), hash);
            assert.match(await commands.nth(1).textContent(), /sha256: .*role: viewer/);
            assert.match(await commands.nth(2).textContent(), /systemctl reload headgate/);
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.ok(overflow <= 0);
            await page.screenshot({path: `${FOLDER}/seen-sign-in-${width}.png`, fullPage: true});
            await page.context().close();
        });
    }
});
