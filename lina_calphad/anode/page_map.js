// Draws what page.js solves: fields, curves and their names, the stripped alloy, the table.
"use strict";

const linaMap = (() => {
  const FONT = "Helvetica, Arial, sans-serif";
  const HIGH = 8; // half of what a line of text takes, in pixels
  const APART = 18; // of labels side by side
  let data, models, state;
  const taken = []; // milliseconds of each redraw

  // -- fields and curves --

  function drawCurves() {
    const all = Object.fromEntries(
      ["chemical", "coherent"].map((which) => [which, lina.runs(which, state.E)]),
    );
    const fields = { xs: [], ys: [], fill: [] };
    const paint = (key, run, span) => {
      const sides = run.map((row) => span(row.both));
      const levels = run.map((row) => row.T);
      fields.xs.push([...sides.map((ends) => ends[0]), ...sides.map((ends) => ends[1]).reverse()]);
      fields.ys.push([...levels, ...levels.slice().reverse()]);
      fields.fill.push(data.regions.find((region) => region.key === key).colour);
    };
    const curve = (kind) => {
      const [which, name] = kind.split(" ");
      return (both) => both[which][name];
    };
    for (const run of all.chemical) paint("held", run, curve("chemical binodal"));
    for (const run of all.chemical) paint("held_unstable", run, curve("chemical spinodal"));
    for (const run of all.coherent) {
      paint("nucleation", run, curve("coherent binodal"));
      paint("incoherent_spinodal", run, ({ chemical, coherent }) => [
        Math.max(chemical.spinodal[0], coherent.binodal[0]),
        Math.min(chemical.spinodal[1], coherent.binodal[1]),
      ]);
      paint("coherent_spinodal", run, curve("coherent spinodal"));
    }
    for (const kind of data.kinds) {
      const sides = all[kind.split(" ")[0]].flatMap((run) => [0, 1].map((side) => [run, side]));
      models[kind].data = {
        xs: sides.map(([run, side]) => run.map((row) => curve(kind)(row.both)[side])),
        ys: sides.map(([run]) => run.map((row) => row.T)),
      };
    }
    models.fields.data = fields;
  }

  // -- pixels --

  function frame() {
    const { x_range: x, y_range: y, inner_width: width, inner_height: height } = models.map;
    const across = width / (x.end - x.start), up = height / (y.end - y.start);
    return {
      width, height,
      px: (t) => (t - x.start) * across,
      py: (T) => (T - y.start) * up,
      t: (px) => x.start + px / across,
      T: (py) => y.start + py / up,
    };
  }

  const pen = document.createElement("canvas").getContext("2d");
  function length(text, font) {
    pen.font = font;
    return pen.measureText(text).width;
  }

  // -- the stripped alloy --

  // Places as near as may be to where labels belong, and far enough apart to be read.
  function spread(places, apart, width) {
    const moved = places.slice();
    for (let pass = 0; pass < 200; pass++) {
      for (let i = 1; i < moved.length; i++) {
        const lack = apart - (moved[i] - moved[i - 1]);
        if (lack > 0) [moved[i - 1], moved[i]] = [moved[i - 1] - lack / 2, moved[i] + lack / 2];
      }
      const over = Math.max(0, moved.at(-1) - (width - HIGH));
      if (moved.length) moved[moved.length - 1] -= over;
    }
    return moved;
  }

  // Returns the rectangles [left, right, bottom, top] that no name of a field may cover.
  function drawPath(rows, view) {
    const { T } = state;
    const places = rows.map((row) => view.px(lina.logit(row.x)));
    const words = rows.map(charge);
    // Without a modulus two boundaries are one, and have one label.
    const kept = rows.map((_, i) => i).filter((i) => i > 0
      && !(words[i] === words[i - 1] && places[i] - places[i - 1] < 1));
    const text = kept.map((i) => words[i]);
    const long = Math.max(0, ...text.map((each) => length(each, `bold 12px ${FONT}`)));
    // Labels stand on the path, or hang from it where the map ends too soon.
    const y = view.py(T), up = y + 16 + long + 4 < view.height ? 1 : -1, foot = y + 16 * up;
    const at = spread(kept.map((i) => places[i]), APART, view.width);
    models.route.data = { x: [view.t(places[0]), models.map.x_range.end], y: [T, T] };
    models.points.data = {
      x: [...places, view.width - 5].map(view.t),
      y: [...places, 0].map(() => T),
      fill: ["#000000", ...rows.slice(1).map(() => "#ffffff"), "#000000"],
      marker: [...places.map(() => "circle"), "triangle"],
      angle: [...places.map(() => 0), -Math.PI / 2],
    };
    models.leaders.data = {
      xs: at.map((x, i) => [places[kept[i]], x].map(view.t)),
      ys: at.map(() => [y + 5 * up, foot - up].map(view.T)),
    };
    models.labels.data = {
      x: [view.t(places[0] - 9), ...at.map(view.t)],
      y: [T, ...at.map(() => view.T(foot))],
      text: ["x₀", ...text],
      angle: [0, ...at.map(() => Math.PI / 2)],
      align: ["right", ...at.map(() => (up > 0 ? "left" : "right"))],
    };
    const ends = [y, foot + long * up].sort((a, b) => a - b);
    return [
      [places[0] - 30, view.width, y - HIGH, y + HIGH],
      ...at.map((x) => [x - HIGH, x + HIGH, ...ends]),
    ];
  }

  // -- names of the fields --

  // Fields as bands of rows, in pixels from bottom to top, each row with its left and right end.
  function bands(view) {
    const found = [];
    let below = [];
    const row = (T, parts) => {
      const y = view.py(T);
      below = parts.map(([code, a, b]) => {
        const left = Math.max(0, view.px(a)), right = Math.min(view.width, view.px(b));
        let band = below.find((one) => one.code === code
          && one.rows.at(-1).left < right && left < one.rows.at(-1).right);
        if (!band) found.push((band = { code, rows: [] }));
        band.rows.push({ y, left, right });
        return band;
      });
    };
    const { start, end } = models.map.x_range;
    for (const T of data.rows.filter((_, i) => i % 2 === 0)) {
      row(T, lina.across(T, state.E, start, end));
    }
    below = [];
    const { code, rows } = data.liquid;
    for (const [T, parts] of rows) row(T, parts.map(([a, b]) => [code, a, b]));
    return found;
  }

  const clear = (x, y, obstacles) => obstacles.every(([left, right, bottom, top]) =>
    x < left - HIGH || x > right + HIGH || y < bottom - HIGH || y > top + HIGH);

  // The roomiest place for a text of this length in a band, level or along it; null if none is.
  function place(band, long, obstacles, along) {
    const { rows } = band;
    if (rows.length < 2) return null;
    const top = rows.length - 1, apart = rows[1].y - rows[0].y;
    const at = (y) => { // the row at a height
      if (y < rows[0].y || y > rows[top].y) return null;
      let i = Math.min(Math.max(Math.ceil((y - rows[0].y) / apart), 1), top);
      while (rows[i].y < y) i++; // the last stands nearer
      const [low, high] = [rows[i - 1], rows[i]], share = (y - low.y) / (high.y - low.y);
      const mix = (side) => low[side] + share * (high[side] - low[side]);
      return { y, left: mix("left"), right: mix("right") };
    };
    let best = null;
    const shares = along ? [0.5] : [0.5, 0.3, 0.7, 0.15, 0.85];
    for (const { y, left, right } of rows) for (const share of shares) {
      if (!along && right - left < long) continue;
      const x = left + share * (right - left);
      let dx = 1, dy = 0;
      if (along) {
        const low = at(y - long / 2), high = at(y + long / 2);
        if (!low || !high) continue;
        [dx, dy] = [(high.left + high.right - low.left - low.right) / 2, long];
        [dx, dy] = [dx / Math.hypot(dx, dy), dy / Math.hypot(dx, dy)];
      }
      let room = Infinity;
      for (let i = -4; i <= 4 && room > 0; i++) { // points of the text
        const [cx, cy] = [x + (i / 8) * long * dx, y + (i / 8) * long * dy];
        if (!clear(cx, cy, obstacles)) {
          room = 0;
          break;
        }
        for (const [ox, oy] of [[-dy, dx], [0, 0], [dy, -dx]]) { // across the text
          const row = at(cy + (HIGH - 1) * oy);
          const px = cx + (HIGH - 1) * ox;
          room = row ? Math.min(room, px - row.left - 1, row.right - px - 1) : 0;
          if (!(room > 0)) break;
        }
      }
      // Away from the ends of the band, where there is as much room.
      const middle = Math.min(y - rows[0].y, rows[top].y - y, 60);
      const score = Math.min(room, 40) + middle / 2 - 40 * Math.abs(share - 0.5);
      if (room > 0 && (best === null || score > best.score)) {
        best = { score, x, y, angle: Math.atan2(dy, dx) };
      }
    }
    return best;
  }

  function drawNames(view, obstacles) {
    const names = { x: [], y: [], text: [], angle: [] };
    for (const band of bands(view)) {
      const { name } = data.regions[band.code];
      const long = length(name, `13px ${FONT}`) + 4;
      let text = name;
      let found = place(band, long, obstacles, false) || place(band, long, obstacles, true);
      if (!found) { // the key below tells what the number stands for
        text = String(band.code + 1);
        found = place(band, 10, obstacles, false);
      }
      if (!found) continue;
      names.x.push(view.t(found.x));
      names.y.push(view.T(found.y));
      names.text.push(text);
      names.angle.push(found.angle);
    }
    models.names.data = names;
  }

  // -- words and numbers --

  const celsius = (T) => `${(T - 273.15).toFixed(1)} °C`.replace("-", "−");
  const kelvin = (T) => `${Number(T.toFixed(2))} K (${celsius(T)})`;
  const fraction = (x) => (x > 0.99 ? `1 − ${fraction(1 - x)}`
    : x < 1e-3 ? x.toExponential(2).replace("e-", "·10⁻").replace(/\d$/, (n) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[n])
      : x.toPrecision(3));
  const areal = ({ areal: all }) => // three digits of what thin foils hold, too
    all.toFixed(2 + Math.max(0, Math.ceil(Math.log10(1e-5 / data.thickness))));
  const charge = (row) => (row.areal === null ? `${row.capacity.toFixed(0)} mAh/g`
    : `${areal(row)} mAh/cm²`);
  const share = (row) => (100 * row.q).toFixed(row.q > 0.99 ? 2 : 1);
  const show = (id, text) => {
    document.getElementById(id).textContent = text;
  };

  function drawTable(rows, answer) {
    const body = document.querySelector("#crossings tbody");
    body.replaceChildren(...rows.map((row) => {
      const line = document.createElement("tr");
      line.dataset.boundary = row.boundary;
      line.dataset.region = data.regions[row.region].key;
      line.className = row === answer ? "answer" : "";
      const cell = (text, key, value) => {
        const td = document.createElement("td");
        td.textContent = text;
        if (key) [td.dataset.key, td.dataset.value] = [key, value];
        line.append(td);
        return td;
      };
      const swatch = document.createElement("i");
      swatch.style.background = data.regions[row.region].colour;
      cell(data.regions[row.region].name).prepend(swatch);
      cell(fraction(row.x), "x", row.x);
      cell(share(row), "q", row.q);
      cell(row.capacity.toFixed(0), "capacity", row.capacity);
      if (row.areal !== null) cell(areal(row), "areal", row.areal);
      const side = { alpha: ", Li-rich side", beta: ", Na-rich side" };
      cell(row.boundary.replace(/ (alpha|beta)$/, (_, branch) => side[branch]));
      return line;
    }));
  }

  // When it unmixes by itself, in one sentence.
  function verdict(both, start, entry) {
    if (!both.chemical) return "It never unmixes: here Li and Na mix in every proportion.";
    if (!both.coherent) {
      return "At this temperature and modulus it never unmixes by itself as long as its lattices "
        + "stay coherent: there is no coherent spinodal.";
    }
    if (!entry) return "It is past the coherent spinodal, and stripping does not lead back into it.";
    if (entry === start) {
      return "It is already inside the coherent spinodal: it unmixes by itself before any lithium "
        + "is stripped.";
    }
    return `Stripped slowly, it unmixes by itself after ${charge(entry)} (${share(entry)} % of the `
      + `lithium stripped, x(Na) = ${fraction(entry.x)}).`;
  }

  function update(curves = true) {
    if (!models) return; // the map has its size before the page is complete
    const began = performance.now();
    const view = frame();
    const { rows, both } = lina.path(state.x0, state.T, state.E);
    const { name, meaning } = data.regions[rows[0].region];
    const entry = rows.find((row) => data.regions[row.region].key === "coherent_spinodal");
    show("here", `At x₀ = ${state.x0} and ${kelvin(state.T)} the alloy lies in the region: ${name}.`);
    show("answer", verdict(both, rows[0], entry));
    show("meaning", meaning);
    drawTable(rows, entry);
    if (view.width > 0 && view.height > 0) {
      if (curves) drawCurves();
      drawNames(view, drawPath(rows, view));
    }
    taken.push(performance.now() - began);
  }

  // -- what moves --

  const to = { x0: Math.log10, T: Number, E: Number };
  const from = { x0: (v) => Number((10 ** v).toPrecision(3)), T: Number, E: Number };

  function set(name, value) {
    state[name] = value;
    models[name].value = to[name](value);
    fill(name);
    update(name === "E");
  }

  // A slider has changed; what was set from here has nothing to say.
  function move(name, slider) {
    if (slider.value !== to[name](state[name])) set(name, from[name](slider.value));
  }

  // -- boxes --

  const element = (name, part) => document.getElementById(`${name}_${part}`);
  const aside = { x0: (x) => `${Number((100 * x).toPrecision(4))} at.% Na`, T: celsius, E: () => "" };
  const digit = { x0: (x) => 10 ** (Math.floor(Math.log10(x)) - 1), T: () => 1, E: () => 0.1 };

  // What is wrong with a box, or else its value in another unit.
  function tell(name, wrong) {
    element(name, "box").setAttribute("aria-invalid", String(wrong));
    element(name, "hint").textContent = wrong ? data.controls[name].hint : "";
    element(name, "aside").textContent = wrong ? "" : aside[name](state[name]);
  }

  function fill(name) {
    element(name, "box").value = state[name];
    tell(name, false);
  }

  // What is typed, maybe with a decimal comma or its unit; null if out of range or no number.
  function read(name) {
    const { limits: [low, high], unit } = data.controls[name];
    const text = element(name, "box").value.trim().replace(",", ".").replace(unit, "").trim();
    const value = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
    return value >= low && value <= high ? value : null;
  }

  function take(name) {
    const value = read(name);
    if (value === null) tell(name, true);
    else if (value === state[name]) fill(name);
    else set(name, value);
    return value;
  }

  function step(name, sign) {
    const value = take(name);
    if (value === null) return;
    const [low, high] = data.controls[name].limits;
    const next = Number((value + sign * digit[name](value)).toPrecision(12));
    set(name, Math.min(Math.max(next, low), high));
  }

  function listen(name) {
    const box = element(name, "box");
    box.addEventListener("change", () => take(name));
    box.addEventListener("input", () => { // a hint goes as soon as it is heeded
      if (box.getAttribute("aria-invalid") === "true" && read(name) !== null) tell(name, false);
    });
    box.addEventListener("keydown", (event) => {
      const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (sign) {
        event.preventDefault();
        step(name, sign);
      } else if (event.key === "Escape") fill(name);
    });
    fill(name);
  }

  // What is under the pointer.
  function look({ x: t, y: T }) {
    const { x_range, y_range } = models.map;
    if (!(t >= x_range.start && t <= x_range.end && T >= data.bottom && T <= y_range.end)) return;
    const { name } = data.regions[lina.region(t, T, state.E)];
    show("look", `${fraction(lina.expit(t))} Na, ${kelvin(T)}: ${name}`);
  }

  function start(given) {
    models = given;
    state = { ...data.start };
    for (const name of Object.keys(state)) {
      listen(name);
      Bokeh.index.get_by_id(models[name].id)?.shadow_el.querySelector(".noUi-handle")
        ?.setAttribute("aria-label", models[name].title); // a slider has no name of its own
    }
    update();
  }

  const open = (given) => {
    data = given;
    lina.open(given);
  };
  return { open, start, move, look, update, taken, get state() { return { ...state }; } };
})();
window.linaMap = linaMap;
