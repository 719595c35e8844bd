// SPDX-License-Identifier: GPL-2.0-or-later
// Small SVG charts. The text beside them gives the same values.

import {h, svg} from "./dom.js";

const WIDTH = 240;
const HEIGHT = 40;

/** The latest values of a series, oldest first. */
export class Sparkline {
    #values = [];

    constructor(label, kept = 90) {
        this.label = label;
        this.kept = kept;
        this.line = svg("polyline", {class: "line"});
        this.area = svg("polygon", {class: "area"});
        this.element = svg("svg", {class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
                                   "aria-label": label}, this.area, this.line);
    }

    add(value) {
        this.#values.push(value);
        if (this.#values.length > this.kept) this.#values.shift();
        const top = Math.max(1, ...this.#values);
        const step = WIDTH / (this.kept - 1);
        const begin = WIDTH - step * (this.#values.length - 1);
        const points = this.#values.map((each, index) =>
            `${(begin + index * step).toFixed(1)},${(HEIGHT - 2 - (HEIGHT - 4) * each / top).toFixed(1)}`);
        this.line.setAttribute("points", points.join(" "));
        this.area.setAttribute("points", `${begin.toFixed(1)},${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`);
        this.element.setAttribute("aria-label", `${this.label}: ${value} now, ${top} at most`);
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
