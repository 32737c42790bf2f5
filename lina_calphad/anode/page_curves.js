// Draws curves over two axes: the potential, and what was computed over the depth.
"use strict";

const linaCurves = (() => {
  function add(id, name, attributes, text) {
    const child = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) child.setAttribute(key, value);
    if (text !== undefined) child.textContent = text;
    document.getElementById(id).append(child);
  }

  function plot(id, { x, y, lines, shades = [], marks = [] }) {
    const svg = document.getElementById(id), width = svg.clientWidth, height = svg.clientHeight;
    const [left, right, top, bottom] = [58, width - 14, 8, height - 40];
    const px = (v) => left + ((v - x.from) / (x.to - x.from)) * (right - left);
    const py = (v) => Math.min(Math.max(
      bottom - ((v - y.from) / (y.to - y.from)) * (bottom - top), top), bottom);
    const put = (...more) => add(id, ...more);
    svg.replaceChildren();
    const words = (text, at, up, anchor) => put("text", { x: at, y: up, "text-anchor": anchor }, text);
    for (const { at, low, high, colour } of shades) {
      const edge = (values) => values.map((v, i) => `${px(at[i])},${py(v)}`);
      const points = [...edge(low), ...edge(high).reverse()].join(" ");
      put("polygon", { points, fill: colour, opacity: 0.2, "data-shade": "" });
    }
    for (const { points, colour, width: w = 2, dashes = "none" } of lines) {
      put("polyline", {
        points: points.map(([a, b]) => `${px(a)},${py(b)}`).join(" "), fill: "none", stroke: colour,
        "stroke-width": w, "stroke-dasharray": dashes,
      });
    }
    for (const at of marks) {
      put("line", { x1: px(at), x2: px(at), y1: top, y2: bottom, stroke: "#777", "stroke-dasharray": "3 3" });
    }
    put("path", { d: `M${left},${top}V${bottom}H${right}V${top}Z`, fill: "none", stroke: "#000" });
    const every = (span) => {
      const step = 10 ** Math.floor(Math.log10(span / 4));
      return step * [5, 2, 1].find((n) => span / (n * step) >= 3);
    };
    const step = every(x.to - x.from);
    for (let v = step * Math.ceil(x.from / step); v <= x.to; v += step) {
      words(+v.toPrecision(6), px(v), bottom + 16, "middle");
    }
    for (const [v, label] of y.ticks ?? steps(y, every(y.to - y.from))) {
      if (v >= y.from && v <= y.to) words(label, left - 6, py(v) + 4, "end");
    }
    words(x.label, (left + right) / 2, height - 6, "middle");
    const middle = (top + bottom) / 2;
    put("text", { x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` }, y.label);
  }

  function steps({ from, to }, step) {
    const ticks = [];
    for (let v = step * Math.ceil(from / step); v <= to; v += step) {
      ticks.push([v, String(+v.toPrecision(6)).replace("-", "−")]);
    }
    return ticks;
  }

  function potential(data, { x0, T, E, q }, { both, rows }) {
    const gap = both.chemical, at = [];
    for (let i = 0; i <= 200; i += 1) {
      const part = (0.9999 * i) / 200, x = x0 / (x0 + (1 - x0) * (1 - part));
      at.push([100 * part, lina.potentials(x, T, E)]);
    }
    const top = Math.max(rows[0].E, gap ? lina.potentials(lina.expit(gap.spinodal[0]), T, E).solution : 0, 1e-3);
    // The draws are those of what the page began with.
    const { start, assessments, assessment } = data, own = Object.keys(assessments)[0] === assessment;
    const known = own && x0 === start.x0 && E === start.E && data.bands.find((each) => each.T === T);
    plot("voltage", {
      x: { from: 0, to: 100, label: "% of the Li stripped" },
      y: { from: -2 * top, to: 1.4 * top, label: "potential against Li/Li⁺ / mV" },
      lines: Object.entries(data.states).map(([state_, { colour, dashes }]) => ({
        colour, dashes, points: at.map(([share, volts]) => [share, volts[state_]]),
      })),
      shades: known ? Object.entries(known.edges).map(([state, [low, high]]) => ({
        at: known.q.map((share) => 100 * share), low, high, colour: data.states[state].colour,
      })) : [],
      marks: [100 * q],
    });
  }

  function profile(data, state) {
    const all = data.profiles.find(({ T }) => T === state.T) ?? data.profiles[0];
    if (!all) return;
    const t = all.lines.flatMap((line) => line.t);
    plot("profile", {
      x: { from: 0, to: Math.max(...all.lines.flatMap((line) => line.at)), label: "distance from the collector / µm" },
      y: { from: Math.min(...t) - 0.5, to: Math.min(Math.max(...t), 9.5), label: `x(Na) at ${all.T} K`, ticks: data.ticks },
      lines: all.lines.map((line, i) => ({
        colour: `hsl(0 0% ${75 - (75 * i) / Math.max(1, all.lines.length - 1)}%)`,
        points: line.at.map((place, k) => [place, line.t[k]]),
      })),
    });
  }

  return { add, potential, profile };
})();
