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

/** A list of terms and values, without undefined ones. */
export function facts(pairs) {
    return h("dl", {class: "facts"}, pairs.filter(([, value]) => value !== undefined && value !== "").map(
        ([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

/** Its `fill(rows)` replaces the rows and keeps the scroll position. */
export function table(caption, heads, rows = []) {
    const body = h("tbody");
    const whole = h("div", {class: "scrolls", tabindex: 0, role: "region", "aria-label": caption},
                    h("table", {}, h("caption", {class: "unseen"}, caption),
                      h("thead", {}, h("tr", {}, heads.map(head => h("th", {scope: "col"}, head)))), body));
    whole.fill = cells => {
        const links = () => [...body.querySelectorAll("a")];
        const focused = links().indexOf(document.activeElement);
        body.replaceChildren(...cells.map(row => h("tr", {}, row.map(cell => h("td", {}, cell)))));
        if (focused !== -1) links()[focused]?.focus({preventScroll: true});
    };
    whole.fill(rows);
    return whole;
}

/** A table, replaced by a text while it has no rows. */
export function tableOr(nothing, caption, heads) {
    const there = table(caption, heads);
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
