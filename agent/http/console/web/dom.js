// Elements, built without markup in strings: what comes from a network is only ever text.

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
    // A selection can only be made among options that are there.
    const {value, ...others} = attributes;
    dress(element, others, children);
    if (value !== undefined) element.value = value;
    return element;
}

export function svg(name, attributes = {}, ...children) {
    return dress(document.createElementNS(SVG, name), attributes, children);
}

let labelled = 0;

/** A control with its label above, and a place for what is wrong with it. */
export function field(label, control, hint) {
    control.id ||= `field-${++labelled}`;
    const fault = h("p", {class: "fault", id: `${control.id}-fault`, hidden: true});
    control.setAttribute("aria-describedby", fault.id);
    const whole = h("div", {class: "field"}, h("label", {for: control.id}, label), control,
                    hint && h("p", {class: "hint"}, hint), fault);
    whole.control = control;
    whole.complain = message => {
        fault.hidden = !message;
        fault.textContent = message || "";
        if (message) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
    };
    return whole;
}

/** A label around its box, which is the label's `control`. */
export function checkbox(label, attributes = {}) {
    return h("label", {class: "check"}, h("input", {type: "checkbox", ...attributes}), label);
}

export function select(options, value) {
    return h("select", {value: value ?? options[0]?.[0]},
             options.map(([name, text]) => h("option", {value: name}, text ?? name)));
}

/** A list of terms and what they are, without those that nothing is known of. */
export function facts(pairs) {
    return h("dl", {class: "facts"}, pairs.filter(([, value]) => value !== undefined && value !== "").map(
        ([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

export function table(caption, heads, rows) {
    return h("div", {class: "scrolls", tabindex: 0, role: "region", "aria-label": caption},
             h("table", {}, h("caption", {class: "unseen"}, caption),
               h("thead", {}, h("tr", {}, heads.map(head => h("th", {scope: "col"}, head)))),
               h("tbody", {}, rows.map(row => h("tr", {}, row.map(cell => h("td", {}, cell)))))));
}

/** Something that is said to those who hear the page, too. */
export function notice(kind, ...children) {
    return h("div", {class: `notice ${kind}`, role: kind === "error" ? "alert" : "status"}, ...children);
}

/** Calls at most once in so many milliseconds, with what was said last. */
export function debounced(milliseconds, act) {
    let timer;
    return (...words) => {
        clearTimeout(timer);
        timer = setTimeout(() => act(...words), milliseconds);
    };
}
