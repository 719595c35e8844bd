// SPDX-License-Identifier: GPL-2.0-or-later
// Builds elements without markup in strings: data from the network is only ever inserted as text.

const SVG = "http://www.w3.org/2000/svg";

function dress(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (name === "value") element.value = value;
        else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter(child => child !== undefined && child !== null && child !== false));
    return element;
}

/** `h("button", {class: "primary", onclick: act}, "Flush")` */
export function h(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    // `value` of a select has an effect only when its options exist.
    const {value, ...others} = attributes;
    dress(element, others, children);
    if (value !== undefined) element.value = value;
    return element;
}

export function svg(name, attributes = {}, ...children) {
    return dress(document.createElementNS(SVG, name), attributes, children);
}

/** Text that may break into lines after each comma. */
export const breakable = text => text.split(/(?<=,)/).flatMap(part => [part, h("wbr")]);

let labelled = 0;

/** A control with its label above, and a place for its error message. */
export function field(label, control, hint) {
    control.id ||= `field-${++labelled}`;
    const fault = h("p", {class: "fault", id: `${control.id}-fault`, hidden: true});
    const said = hint && h("p", {class: "hint", id: `${control.id}-hint`}, hint);
    control.setAttribute("aria-describedby", said ? `${fault.id} ${said.id}` : fault.id);
    const whole = h("div", {class: "field"}, h("label", {for: control.id}, label), control, said, fault);
    whole.control = control;
    whole.complain = message => {
        fault.hidden = !message;
        fault.textContent = message || "";
        if (message) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
    };
    return whole;
}

/** A label around a checkbox, which is its `control`. */
export function checkbox(label, attributes = {}) {
    return h("label", {class: "check"}, h("input", {type: "checkbox", ...attributes}), label);
}

export function select(options, value) {
    return h("select", {value: value ?? options[0]?.[0]},
             options.map(([name, text]) => h("option", {value: name}, text ?? name)));
}

const shown = ([, value]) => value !== undefined && value !== "" && value !== false;

/** A list of terms and values, without undefined ones. */
export function facts(pairs) {
    return h("dl", {class: "facts"}, pairs.filter(shown).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

/** The same in one line, as far as there is room. A pair's third member is a class of its element. */
export function factLine(pairs) {
    return h("dl", {class: "facts line"}, pairs.filter(shown).map(
        ([term, value, kind]) => h("div", {class: kind}, h("dt", {}, term), " ", h("dd", {}, value))));
}

/**
 * A table whose rows become cards on a narrow screen. A column is its title, or `{title, kind}`: `number` is aligned to the
 * right, `wraps` may take several lines. A row is its cells, or `{cells, kind}`. `fill(rows)` replaces the rows and keeps the
 * scroll position and the focus. `cards: false` for a table of few short columns.
 */
export function table(caption, columns, rows = [], {cards = true} = {}) {
    const heads = columns.map(each => (typeof each === "string" ? {title: each} : each));
    const body = h("tbody", {role: "rowgroup"});
    // With the roles it remains a table for screen readers where its parts are not displayed as one.
    const whole = h("div", {class: `scrolls ${cards ? "cards-if-narrow" : ""}`, tabindex: 0, role: "region", "aria-label": caption},
                    h("table", {role: "table"}, h("caption", {class: "unseen"}, caption),
                      h("thead", {role: "rowgroup"}, h("tr", {role: "row"}, heads.map(({title, kind}) =>
                          h("th", {scope: "col", role: "columnheader", class: kind}, title)))), body));
    const lineOf = row => h("tr", {role: "row", class: row.kind}, (row.cells ?? row).map((cell, index) =>
        h("td", {role: "cell", class: heads[index].kind, "data-title": heads[index].title}, cell)));
    whole.fill = lines => {
        const links = () => [...body.querySelectorAll("a")];
        const focused = links().indexOf(document.activeElement);
        body.replaceChildren(...lines.map(lineOf));
        if (focused !== -1) links()[focused]?.focus({preventScroll: true});
    };
    whole.fill(rows);
    return whole;
}

/** A table, replaced by a text while it has no rows. */
export function tableOr(nothing, caption, columns, options) {
    const there = table(caption, columns, [], options);
    const quiet = h("p", {class: "quiet"}, nothing);
    const whole = h("div", {}, there, quiet);
    whole.fill = rows => {
        there.hidden = rows.length === 0;
        quiet.hidden = rows.length !== 0;
        there.fill(rows);
    };
    whole.fill([]);
    return whole;
}

/** Said above a form that shows a draft. */
export function draftNotice(draft, reopen) {
    if (draft.value === undefined) return undefined;
    const afresh = () => {
        draft.forget();
        reopen();
    };
    return h("p", {class: "draft"}, "As you left it. ", h("button", {type: "button", class: "link", onclick: afresh}, "Start afresh"));
}

/** A message that screen readers announce. */
export function notice(kind, ...children) {
    return h("div", {class: `notice ${kind}`, role: kind === "error" ? "alert" : "status"}, ...children);
}

/** Calls `act` at most once per interval, with the latest arguments. */
export function debounced(milliseconds, act) {
    let timer;
    return (...words) => {
        clearTimeout(timer);
        timer = setTimeout(() => act(...words), milliseconds);
    };
}
