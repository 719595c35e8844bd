// SPDX-License-Identifier: GPL-2.0-or-later
// The console's frame: sign-in, navigation, and the message shown while the gateway does not answer.

import {ask, connection, findAgain, Problem, token, Unreachable} from "./api.js";
import {h, notice} from "./dom.js";
import {draftAt, draftsBelongTo, forgetDrafts} from "./drafts.js";
import {who} from "./format.js";
import * as confirm from "./pages/confirm.js";
import * as history from "./pages/history.js";
import * as log from "./pages/log.js";
import * as operation from "./pages/operation.js";
import * as request from "./pages/request.js";
import * as overview from "./pages/overview.js";
import * as policy from "./pages/policy.js";
import * as signIn from "./pages/sign_in.js";

/** By the first path segment after `#/`. `operators`: what requires that role. */
const PAGES = new Map([
    ["overview", {page: overview, menu: "Overview"}],
    ["capture", {page: request, menu: "Capture"}],
    ["flush", {page: request, menu: "Flush", operators: "A flush"}],
    ["rematch", {page: request, menu: "Rematch", operators: "A rematch"}],
    ["confirm", {page: confirm, operators: "A flush"}],
    ["operations", {page: history, menu: "History"}],
    ["operation", {page: operation}],
    ["log", {page: log, menu: "Flow log"}],
    ["policy", {page: policy, menu: "Policy"}],
]);

const state = {session: null, leaving: new AbortController()};

function place() {
    const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
    const [name, ...rest] = path.split("/");
    return {name: PAGES.has(name) ? name : "overview", rest, query: new URLSearchParams(query)};
}

const go = where => { location.hash = `#/${where}`; };
const mayFlush = session => session.role === "operator";

const banner = h("div", {class: "banner", role: "alert", hidden: true});
const main = h("main", {id: "main", tabindex: -1});
const menu = h("nav", {"aria-label": "Pages"});
const user = h("div", {class: "user"});

function frame() {
    document.body.replaceChildren(
        h("a", {class: "skip", href: "#main", onclick: event => { event.preventDefault(); main.focus(); }}, "To the content"),
        h("header", {}, h("a", {class: "brand", href: "#/overview"}, "headgate"), menu, user), banner, main);
}

function drawMenu(current) {
    const entries = [...PAGES].filter(([, each]) => each.menu && (!each.operators || mayFlush(state.session)));
    menu.replaceChildren(...entries.map(([name, each]) =>
        h("a", {href: `#/${name}`, "aria-current": name === current ? "page" : undefined}, each.menu)));
    const name = who(state.session.caller);
    user.replaceChildren(h("span", {class: "who", title: `${name}, headgate ${state.session.version}`}, `${name} (${state.session.role})`));
    if (token.get()) user.append(h("button", {onclick: signOut}, "Sign out"));
}

/** Ends the previous page's streams and timers; focus starts at the new page's heading. */
async function open() {
    state.leaving.abort();
    state.leaving = new AbortController();
    const {name, rest, query} = place();
    const {page, operators} = PAGES.get(name);
    drawMenu(name);
    const {signal} = state.leaving;
    const heading = h("h1", {tabindex: -1});
    const entitle = (text, detail = "") => {
        const whole = detail ? `${text} ${detail}` : text;
        if (signal.aborted || heading.textContent === whole) return;
        heading.replaceChildren(text, ...(detail ? [" ", h("span", {class: "detail"}, detail)] : []));
        document.title = `${text} – headgate`;
    };
    const context = {name, rest, query, go, entitle, reopen: open, draft: draftAt(location.hash), session: state.session,
                     mayFlush: mayFlush(state.session), signal};
    entitle(page.title(context));
    const content = h("div", {class: `page ${name}`});
    main.replaceChildren(heading, content);
    heading.focus({preventScroll: true});
    scrollTo(0, 0);
    if (operators && !context.mayFlush) {
        content.append(notice("error", `${operators} requires the role operator.`));
        return;
    }
    try {
        await page.render(content, context);
    } catch (error) {
        if (signal.aborted) return;
        content.append(notice("error", error.message));
        if (error instanceof Unreachable) connection.addEventListener("found", open, {once: true, signal});
        else if (!(error instanceof Problem)) throw error;
    }
}

function signOut() {
    token.forget();
    forgetDrafts();
    begin();
}

/** A client that is authenticated otherwise (certificate, loopback) needs no token. */
async function begin() {
    state.leaving.abort();
    frame();
    try {
        state.session = await ask("v1/session");
    } catch (error) {
        if (error instanceof Problem && error.status === 401) return askForToken(token.get() ? error.message : "");
        main.replaceChildren(h("h1", {}, "headgate"), notice("error", error.message));
        setTimeout(begin, 2000);
        return undefined;
    }
    draftsBelongTo(who(state.session.caller));
    return open();
}

function askForToken(fault) {
    token.forget();
    menu.replaceChildren();
    user.replaceChildren();
    document.title = "Sign in – headgate";
    signIn.render(main, fault, begin);
}

const says = text => {
    banner.textContent = text;
    banner.hidden = text === "";
};
let finding = new AbortController();
connection.addEventListener("lost", () => {
    says("The connection to the gateway is lost. Trying again…");
    finding.abort();
    finding = new AbortController();
    findAgain(finding.signal);
});
connection.addEventListener("found", () => {
    finding.abort();
    says("");
});
connection.addEventListener("trouble", event => says(event.detail));
connection.addEventListener("signed-out", () => {
    if (state.session === null) return;
    state.session = null;
    state.leaving.abort();
    askForToken("The token is not accepted any more.");
});
addEventListener("hashchange", () => { if (state.session) open(); });

begin();
