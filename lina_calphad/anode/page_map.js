// Draws what page.js solves: the map, the stripped alloy and its table; reads what is typed.
"use strict";

const linaMap = (() => {
  let data, state, view;
  const taken = []; // milliseconds of each redraw
  const get = (id) => document.getElementById(id);
  const show = (id, text) => {
    get(id).textContent = text;
  };

  // -- the map --

  const add = (name, attributes, text) => linaCurves.add("map", name, attributes, text);

  // Pixels of the map, from t and T and back.
  function frame() {
    const { clientWidth: width, clientHeight: height } = get("map"), [a, b] = data.span;
    const [left, right, top, bottom] = [52, width - 52, 10, height - 46];
    const [low, high] = data.temperatures, across = (right - left) / (b - a);
    const up = (bottom - top) / (high - low);
    return {
      width, height, left, right, top, bottom,
      x: (t) => left + (Math.min(Math.max(t, a), b) - a) * across,
      y: (T) => bottom - (T - low) * up,
      t: (px) => a + (px - left) / across,
      T: (py) => low + (bottom - py) / up,
    };
  }

  // Rows of temperature at which a solution has a gap, up to its critical point.
  function dome(which) {
    const rows = [], at = (T) => ({ T, both: lina.ends(T, state.E) });
    const levels = [];
    for (let T = data.bottom; T < data.melting; T += 1) levels.push(T);
    for (const T of [...levels, data.melting]) {
      const row = at(T);
      if (row.both[which]) rows.push(row);
      else if (rows.length) {
        const from = rows.at(-1).T;
        let top = from, never = T;
        for (let i = 0; i < 30; i++) {
          const middle = (top + never) / 2;
          if (at(middle).both[which]) top = middle;
          else never = middle;
        }
        return [...rows, ...[0.5, 0.2, 0.05, 0.01, 0].map((part) => at(top + part * (from - top)))];
      }
    }
    return rows;
  }

  const line = (T, ends) => T.map((level, i) => `${view.x(ends[i])},${view.y(level)}`);
  const area = (T, low, high, more) => add("polygon", {
    points: [...line(T, low), ...line(T, high).reverse()].join(" "), ...more,
  });

  function drawCurves() {
    const { left, right, top, bottom } = view, boxed = { x: left, y: top };
    add("rect", { ...boxed, width: right - left, height: bottom - top, fill: region("single").colour });
    const domes = { chemical: dome("chemical"), coherent: dome("coherent") };
    const field = (key, which, span) => {
      const ends = domes[which].map(({ both }) => span(both)), levels = domes[which].map(({ T }) => T);
      const [low, high] = [0, 1].map((side) => ends.map((pair) => pair[side]));
      area(levels, low, high, { fill: region(key).colour, "data-region": key });
    };
    field("held", "chemical", (both) => both.chemical.binodal);
    field("held_unstable", "chemical", (both) => both.chemical.spinodal);
    field("nucleation", "coherent", (both) => both.coherent.binodal);
    field("incoherent_spinodal", "coherent", ({ chemical: { spinodal }, coherent: { binodal } }) => {
      const low = Math.max(spinodal[0], binodal[0]);
      return [low, Math.max(low, Math.min(spinodal[1], binodal[1]))];
    });
    field("coherent_spinodal", "coherent", (both) => both.coherent.spinodal);
    const shade = ({ T, low, high }, look) => {
      const some = T.map((_, i) => i).filter((i) => low[i] !== null && high[i] !== null);
      area(...[T, low, high].map((values) => some.map((i) => values[i])), look);
    };
    for (const [name, edges] of Object.entries(data.draws)) {
      if (drawn(name)) shade(edges, { fill: "#333", opacity: 0.22, "data-draws": name });
    }
    for (const [kind, look] of Object.entries(data.curves)) {
      const [which, curve] = kind.split(" "), levels = domes[which].map(({ T }) => T);
      for (const side of [0, 1]) {
        const ends = domes[which].map(({ both }) => both[which][curve][side]);
        add("polyline", {
          points: line(levels, ends).join(" "), fill: "none", stroke: look.colour, "stroke-width": 2,
          "stroke-dasharray": look.dashes, "data-curve": kind,
        });
      }
    }
    for (const edges of data.liquid) shade(edges, { fill: region("liquid").colour });
  }

  function drawAxes() {
    const { left, right, top, bottom, width, height, x, y } = view, middle = (top + bottom) / 2;
    const tick = (x1, y1, x2, y2) => add("line", { x1, y1, x2, y2, stroke: "#000" });
    const words = (text, px, py, anchor) => add("text", { x: px, y: py, "text-anchor": anchor }, text);
    add("path", { d: `M${left},${top}V${bottom}H${right}V${top}Z`, fill: "none", stroke: "#000" });
    let last = -Infinity;
    for (const [t, label] of data.ticks) {
      tick(x(t), bottom, x(t), bottom + 4);
      if (x(t) - last < 42) continue;
      words(label, x(t), bottom + 17, "middle");
      last = x(t);
    }
    words("mole fraction of Na (both ends stretched)", (left + right) / 2, height - 8, "middle");
    for (const [px, out, shift, unit] of [[left, -4, 0, "K"], [right, 4, 273.15, "°C"]]) {
      const [low, high] = data.temperatures.map((T) => T - shift);
      for (let level = 50 * Math.ceil(low / 50); level <= high; level += 50) {
        tick(px, y(level + shift), px + out, y(level + shift));
        const text = String(level).replace("-", "−");
        words(text, px + 2 * out, y(level + shift) + 4, out < 0 ? "end" : "start");
      }
      const at = out < 0 ? 11 : width - 5;
      add("text", { x: at, y: middle, "text-anchor": "middle", transform: `rotate(-90 ${at} ${middle})` },
        `temperature / ${unit}`);
    }
  }

  // The stripped alloy, with the charge at each crossing; those that are close share a label.
  function drawPath(rows) {
    const y = view.y(state.T), at = rows.map((row) => view.x(lina.logit(row.x)));
    const d = `M${at[0]},${y}H${view.right}m-9,-5l9,5l-9,5`;
    add("path", { d, fill: "none", stroke: "#000", "stroke-width": 2, id: "route" });
    const labels = [];
    rows.forEach((row, i) => {
      add("circle", { cx: at[i], cy: y, r: 4, fill: i ? "#fff" : "#000", stroke: "#000" });
      if (i && at[i] - labels.at(-1)?.px < 16) labels.at(-1).words.add(short(row));
      else if (i) labels.push({ px: at[i], words: new Set([short(row)]) });
    });
    add("text", { x: at[0] - 8, y: y + 4, "text-anchor": "end", class: "halo" }, "x₀");
    for (const { px, words } of labels) {
      const text = [...words].join(", ");
      const up = y - view.top > 16 + 7 * text.length, [x, foot] = [px + 4, y + (up ? -9 : 9)];
      add("text", {
        x, y: foot, "text-anchor": up ? "start" : "end", transform: `rotate(-90 ${x} ${foot})`,
        class: "halo label",
      }, text);
    }
  }

  // What is under the pointer or finger.
  function look({ offsetX, offsetY }) {
    const { left, right, top, bottom } = view;
    if (offsetX < left || offsetX > right || offsetY < top || offsetY > bottom) return;
    const t = view.t(offsetX), T = view.T(offsetY);
    if (T < data.bottom) return;
    const found = molten(t, T) ? "liquid" : lina.classify(lina.expit(t), lina.ends(T, state.E));
    show("look", `${fraction(lina.expit(t))} Na, ${kelvin(T)}: ${region(found).name}`);
  }

  // A value of a table over ascending temperatures; NaN outside of it.
  function between(levels, values, T) {
    const i = levels.findIndex((level) => level >= T);
    if (i < 0 || T < levels[0]) return NaN;
    if (levels[i] === T) return values[i] ?? NaN;
    if (values[i - 1] === null || values[i] === null) return NaN;
    const share = (T - levels[i - 1]) / (levels[i] - levels[i - 1]);
    return values[i - 1] + share * (values[i] - values[i - 1]);
  }
  const molten = (t, T) => data.liquid.some(({ T: levels, low, high }) =>
    between(levels, low, T) <= t && t <= between(levels, high, T));

  // -- the table --

  const { areal, celsius, charged, fraction, kelvin, millivolt, percent, region } = linaWords;
  const short = (row) => (row.areal === null ? row.capacity.toFixed(0) : areal(row));
  const named = (boundary) => boundary.replace(" alpha", ", Li side").replace(" beta", ", Na side");
  const drawn = (boundary) => boundary.startsWith("chemical") || state.E === data.modulus;

  // Between which shares stripped 68 % of the draws cross a boundary.
  function spread(name) {
    const band = data.draws[name];
    if (!band || !drawn(name)) return "";
    const { x0, T } = state;
    return ["low", "high"].map((side) => {
      const x = lina.expit(between(band.T, band[side], T));
      return Number.isNaN(x) ? "no gap" : x <= x0 ? "start" : percent((x - x0) / (x * (1 - x0)));
    }).join(" to ");
  }

  function drawTable(rows, answer) {
    get("crossings").tBodies[0].replaceChildren(...rows.map((row) => {
      const tr = document.createElement("tr");
      Object.assign(tr.dataset, { boundary: row.boundaries.join(), region: row.region });
      tr.className = row === answer ? "answer" : "";
      const cell = (text, key) => {
        const td = tr.insertCell();
        td.textContent = text;
        if (key) Object.assign(td.dataset, { key, value: row[key] });
        return td;
      };
      const swatch = document.createElement("i"), small = document.createElement("small");
      swatch.style.background = region(row.region).colour;
      small.textContent = row.boundaries.map(named).join(" = ");
      const first = cell(region(row.region).name);
      first.prepend(swatch);
      first.append(small);
      cell(fraction(row.x), "x");
      cell(percent(row.q), "q");
      cell(row.capacity.toFixed(0), "capacity");
      if (row.areal !== null) cell(areal(row), "areal");
      cell(millivolt(row.E), "E");
      if (Object.keys(data.draws).length) cell(spread(row.boundaries[0]));
      return tr;
    }));
  }

  function update() {
    const began = performance.now(), found = lina.path(state.x0, state.T, state.E);
    // A charge in the box of the depth stays that charge, whatever share of the Li it is by now.
    const typed = /mAh/.test(get("q_box").value) ? read("q") : {};
    state.q = get("q_slider").value = typed.value ?? state.q;
    const { rows, both } = found, { name, meaning } = region(rows[0].region);
    const here = { x0: Number(state.x0.toPrecision(6)), T: kelvin(state.T), name, meaning, assessment: data.assessment };
    show("disagree", linaWords.disagreement(state));
    show("here", linaWords.fill("here", { ...here, wt: +(100 * heavy(state.x0)).toPrecision(3) }));
    show("answer", linaWords.verdict(both, rows));
    for (const [id, text] of Object.entries(linaWords.around(state, found, typed.charge))) show(id, text);
    tell("q", typed.wrong);
    drawTable(rows, rows.find((row) => row.region === "coherent_spinodal"));
    view = frame();
    get("map").replaceChildren();
    if (view.right > view.left) {
      [drawCurves, () => drawPath(rows), drawAxes].forEach((draw) => draw());
      linaCurves.potential(data, state, found);
      linaCurves.profile(data, state);
    }
    taken.push(performance.now() - began);
  }

  // -- sliders and boxes --

  const to = { x0: Math.log10, T: Number, E: Number, q: Number };
  const from = { ...to, x0: (v) => Number((10 ** v).toPrecision(3)) };
  const digit = {
    x0: (x) => 10 ** (Math.floor(Math.log10(x)) - 1), T: () => 1, E: () => 0.1, q: () => 0.01,
  };
  const aside = { x0: (x) => `${+(100 * x).toPrecision(4)} at.%, ${+(100 * heavy(x)).toPrecision(4)} wt% Na`,
    T: celsius, E: () => "", q: (q) => charged(taken_(q)) };
  const taken_ = (q) => {
    const { full, area } = lina.path(state.x0, state.T, state.E);
    return { q, capacity: q * full, areal: area === null ? null : q * area };
  };
  const heavy = (x) => x / (x + (1 - x) * data.lighter);
  const light = (w) => (w * data.lighter) / (w * data.lighter + 1 - w);

  // Units by box: how they are written, into that of the page, and back.
  const same = (v) => v;
  const UNITS = {
    x0: [[/^$/, "", same, same], [/^(at|mol)?[.\-]? ?%$/i, "at.%", (v) => v / 100, (x) => 100 * x],
      [/^(wt|mass)[.\-]? ?%$/i, "wt%", (v) => light(v / 100), (x) => 100 * heavy(x)]],
    T: [[/^K?$/, "K", same, same], [/^°? ?C$/, "°C", (v) => v + 273.15, (T) => T - 273.15]],
    E: [[/^(GPa)?$/i, "GPa", same, same]],
    q: [[/^$/, "", same, same], [/^%$/, "%", (v) => v / 100, (q) => 100 * q],
      [/^mAh ?\/ ?g$/i, "mAh/g", (v) => v / taken_(1).capacity, (q) => taken_(q).capacity],
      [/^mAh ?\/ ?cm[2²]$/i, "mAh/cm²", (v) => v / taken_(1).areal, (q) => taken_(q).areal]],
  };

  // A value in the page's unit, or what is wrong, in the unit that was typed.
  function read(name) {
    const text = get(`${name}_box`).value.trim().replace(",", ".").replace("−", "-");
    const parts = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)$/i.exec(text);
    const none = data.thickness === null && name === "q" && /cm/.test(text);
    const unit = !none && parts && UNITS[name].find(([written]) => written.test(parts[2]));
    if (!unit) return { wrong: `Write it as in ${data.controls[name].examples}` };
    const [, label, into, back] = unit, [low, high] = data.controls[name].limits;
    const amount = Number(parts[1]), value = Number(into(amount).toPrecision(12));
    if (value >= low && value <= high) return { value, charge: /mAh/.test(label) && [amount, label] };
    const ends = [low, high].map((end) => Number(back(end).toPrecision(4)));
    return { wrong: `Allowed: ${ends.join(" to ")}${label && ` ${label}`}` };
  }

  function tell(name, wrong = "") {
    get(`${name}_box`).setAttribute("aria-invalid", String(wrong !== ""));
    show(`${name}_hint`, wrong);
    show(`${name}_aside`, wrong ? "" : aside[name](state[name]));
  }

  function set(name, value, charge) {
    const changed = state[name] !== value;
    state[name] = value;
    get(`${name}_slider`).value = to[name](value);
    get(`${name}_box`).value = charge ? charge.join(" ") : value;
    tell(name);
    if (changed || name === "q") update();
  }

  function take(name) {
    const { value, wrong, charge } = read(name);
    if (wrong) tell(name, wrong);
    else set(name, value, charge);
    return value;
  }

  function listen(name) {
    const box = get(`${name}_box`), slider = get(`${name}_slider`);
    slider.addEventListener("input", () => set(name, from[name](Number(slider.value))));
    box.addEventListener("change", () => take(name));
    box.addEventListener("input", () => { // a hint goes as soon as it is heeded
      if (get(`${name}_hint`).textContent && !read(name).wrong) tell(name);
    });
    box.addEventListener("keydown", (event) => {
      const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (event.key === "Escape") set(name, state[name]);
      if (!sign) return;
      event.preventDefault();
      const value = take(name), [low, high] = data.controls[name].limits;
      if (value === undefined) return;
      const next = Number((value + sign * digit[name](value)).toPrecision(12));
      set(name, Math.min(Math.max(next, low), high));
    });
  }

  // Another assessment: its modulus, if it was that of the last, and no temperature at which it melts.
  function choose(name) {
    const last = data.modulus;
    data = linaWords.use(lina.use(name));
    data.controls.T.limits[1] = get("T_slider").max = data.top;
    if (state.E === last) state.E = data.modulus;
    state.T = Math.min(state.T, data.top);
    for (const each of ["T", "E"]) set(each, state[each]);
    show("name", `Li–Na anode, ${data.assessment}`);
    show("cited", data.cited);
    update();
  }

  function open(given) {
    data = linaWords.use(lina.open(given));
    state = { ...data.start };
    Object.keys(state).forEach(listen);
    get("assessment")?.addEventListener("change", (event) => choose(event.target.value));
    for (const event of ["pointermove", "pointerdown"]) get("map").addEventListener(event, look);
    for (const each of document.querySelectorAll("[data-temperature]")) {
      each.addEventListener("click", () => set("T", Number(each.dataset.temperature)));
    }
    new ResizeObserver(update).observe(get("map"));
    for (const [name, value] of Object.entries(state)) set(name, value, name === "q" && data.asked);
  }
  return { open, set, choose, taken, get state() { return { ...state }; } };
})();
window.linaMap = linaMap;
