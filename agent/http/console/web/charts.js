// SPDX-License-Identifier: GPL-2.0-or-later
// Small SVG charts. The text beside them gives the same values.

import {h, svg} from "./dom.js";
import {count, duration} from "./format.js";

const WIDTH = 240;
const HEIGHT = 64;

/** A series' latest values, oldest first, with a title; one comes every `seconds`. `where` names what the values are of. */
export class Chart {
    #values = [];

    constructor(title, where, {seconds, kept = 90}) {
        this.label = `${title}, ${where}`;
        this.kept = kept;
        this.line = svg("polyline", {class: "line"});
        this.area = svg("polygon", {class: "area"});
        this.drawing = svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": this.label},
                           this.area, this.line);
        this.highest = h("span", {class: "highest"});
        this.now = h("span", {class: "now"});
        this.element = h("figure", {class: "chart"},
                         h("figcaption", {}, h("span", {class: "chart-title"}, `${title}, last ${duration(kept * seconds)}`), this.now),
                         h("div", {class: "plot"}, this.drawing, this.highest));
    }

    add(value) {
        this.#values.push(value);
        if (this.#values.length > this.kept) this.#values.shift();
        const highest = Math.max(...this.#values);
        const top = Math.max(1, highest);
        const step = WIDTH / (this.kept - 1);
        const begin = WIDTH - step * (this.#values.length - 1);
        const points = this.#values.map((each, index) =>
            `${(begin + index * step).toFixed(1)},${(HEIGHT - 2 - (HEIGHT - 18) * each / top).toFixed(1)}`);
        this.line.setAttribute("points", points.join(" "));
        this.area.setAttribute("points", `${begin.toFixed(1)},${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`);
        this.now.textContent = `${count(value)} now`;
        this.highest.textContent = `highest ${count(highest)}`;
        this.drawing.setAttribute("aria-label", `${this.label}: ${count(value)} now, ${count(highest)} at most`);
    }
}

/** The share of a whole. */
export function bar(label, value, whole) {
    const percent = (whole > 0 ? 100 * Math.min(1, value / whole) : 0).toFixed(1);
    const inner = h("span", {class: "fill"});
    inner.style.width = `${percent}%`;
    return h("span", {class: "bar", role: "img", "aria-label": `${label}: ${percent} %`}, inner);
}

/** Likewise, for a share that should stay below the whole. */
export function meter(label, value, whole) {
    const element = bar(label, value, whole);
    if (value > 0.9 * whole) element.classList.add("nearly-full");
    return element;
}
