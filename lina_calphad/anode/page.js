// Solves the boundaries of bcc Li-Na where the page is shown, as lina_calphad.phase.gap does.
//
// t = ln(x/(1-x)), x the mole fraction of Na. The excess energy is that of Redlich and Kister,
// x(1-x) sum L_k (1-2x)^k; coherency takes B = B0 E/E0 from L_0, but for a part linear in x. With
// c_k = L_k/RT the diffusion potential f, the grand potential w and the stability psi are
// polynomials of u = 1-2x beside ideal mixing: df/dt = psi, dw/dt = -x psi.
"use strict";

const lina = (() => {
  let data, given;
  let known; // what was solved for this assessment, by temperature
  const solved = new Map();

  const expit = (t) => (t < 0 ? Math.exp(t) / (1 + Math.exp(t)) : 1 / (1 + Math.exp(-t)));
  const logit = (x) => Math.log(x / (1 - x));

  function mixing(c, t) {
    const e = Math.exp(-Math.abs(t)), q = e / (1 + e) ** 2, u = -Math.tanh(t / 2);
    const x = t < 0 ? e / (1 + e) : 1 / (1 + e);
    let p = 0, p1 = 0, p2 = 0, p3 = 0; // the series and its derivatives in u
    for (let k = c.length - 1; k >= 0; k--) {
      [p3, p2, p1, p] = [p3 * u + 3 * p2, p2 * u + 2 * p1, p1 * u + p, p * u + c[k]];
    }
    const slope = u * p - 2 * q * p1, bend = -2 * p - 4 * u * p1 + 4 * q * p2;
    return {
      x, q, u,
      f: t + slope,
      w: -Math.max(t, 0) - Math.log1p(e) + q * p - x * slope,
      psi: 1 + q * bend,
      rise: q * (u * bend + q * (12 * p1 + 12 * u * p2 - 8 * q * p3)), // d psi/dt
    };
  }

  // Root of a function that increases from low to high: Newton's method, kept in its bracket.
  function root(f, low, high, tolerance = 0) {
    let t = (low + high) / 2, last = high - low;
    for (let i = 0; i < 200; i++) {
      const [y, dy] = f(t);
      if (y === 0) return t;
      if (y < 0) low = t;
      else high = t;
      let next = t - y / dy;
      if (!(next > low && next < high && Math.abs(next - t) < last / 2)) next = (low + high) / 2;
      last = Math.abs(next - t);
      t = next;
      if (last <= Math.max(tolerance, 1e-16 * Math.abs(t)) || t === low || t === high) break;
    }
    return t;
  }

  // A point from which on a condition holds, outwards.
  function beyond(t, sign, holds) {
    for (let step = 1; step < 1e4; step *= 2) {
      t += sign * step;
      if (holds(t)) return t;
    }
    throw new Error("a diffusion potential does not diverge");
  }

  // Where G'' is least: unlike psi = 0 it is the same for every modulus.
  function deepest(c) {
    let best = 0, least = Infinity;
    for (let t = -12; t <= 12; t += 0.1) {
      const { psi, q } = mixing(c, t);
      if (psi / q < least) [best, least] = [t, psi / q];
    }
    return root((t) => {
      const m = mixing(c, t);
      return [m.rise - m.u * m.psi, NaN]; // without a derivative the bracket is halved
    }, best - 0.1, best + 0.1);
  }

  // Both curves as logits, or null where the solution is stable; `inside` from `deepest`.
  function gap(c, inside) {
    if (!(mixing(c, inside).psi < 0)) return null;
    const stable = (t) => mixing(c, t).psi > 0;
    const limit = (sign) => (t) => {
      const m = mixing(c, t);
      return [sign * m.psi, sign * m.rise];
    };
    const left = root(limit(-1), beyond(inside, -1, stable), inside);
    const right = root(limit(1), inside, beyond(inside, 1, stable));
    return left < right ? { spinodal: [left, right], binodal: around(c, left, right) } : null;
  }

  // The tie-line around a spinodal.
  function around(c, left, right) {
    const middle = (left + right) / 2, half = (right - left) / 2;
    // The narrowest are Landau's; for Newton's method a rough start will do.
    let ends = half < 5e-3 ? [middle - Math.sqrt(3) * half, middle + Math.sqrt(3) * half]
      : bracket(c, left, right);
    for (let i = 0; i < 12; i++) {
      const step = newton(c, ends), next = ends.map((t, side) => t + step[side]);
      if (!(next[0] <= left && next[1] >= right)) break;
      ends = next;
      if (Math.max(...step.map(Math.abs)) < 1e-9 * Math.min(1, ends[1] - ends[0])) break;
    }
    return ends;
  }

  // On each stable branch t grows with the potential mu, and so does the difference of w.
  function bracket(c, left, right) {
    const high = mixing(c, left).f, low = mixing(c, right).f;
    const start = beyond(left, -1, (t) => mixing(c, t).f < low);
    const end = beyond(right, 1, (t) => mixing(c, t).f > high);
    const branch = (mu, a, b) => root((t) => {
      const m = mixing(c, t);
      return [m.f - mu, m.psi];
    }, a, b, 1e-9);
    const both = (mu) => [branch(mu, start, left), branch(mu, right, end)];
    return both(root((mu) => {
      const [a, b] = both(mu).map((t) => mixing(c, t));
      return [a.w - b.w, b.x - a.x];
    }, low, high, 1e-6 * (high - low)));
  }

  function newton(c, ends) {
    const [a, b] = ends.map((t) => mixing(c, t)), width = b.x - a.x;
    let step = [b.x, a.x].map((x) => (b.w - a.w + x * (b.f - a.f)) / width);
    if (ends[1] - ends[0] < 0.5) { // differences lose digits here, integrals of G'' do not
      step = [0, 0];
      data.nodes.forEach((node, i) => {
        const m = mixing(c, logit(a.x + width * node));
        const share = (m.psi / m.q) * width * data.weights[i];
        step[0] += share * (1 - node);
        step[1] -= share * node;
      });
    }
    return [step[0] / a.psi, step[1] / b.psi];
  }

  // A column of the table over temperature, by a cubic through its four nearest rows.
  function at(column, T) {
    if (column.length === 1) return column[0];
    const i = Math.min(Math.max(Math.floor(T - data.bottom) - 1, 0), column.length - 4);
    let sum = 0;
    for (let j = i; j < i + 4; j++) {
      let weight = 1;
      for (let k = i; k < i + 4; k++) if (k !== j) weight *= (T - data.bottom - k) / (j - k);
      sum += weight * column[j];
    }
    return sum;
  }

  // Both curves of both solutions; what does not depend on the modulus, and the last, is kept.
  function ends(T, E) {
    if (known.size > 5000) known.clear();
    if (!known.has(T)) {
      const c = data.L.map((each) => (each[0] + each[1] * T + each[2] * T * Math.log(T)) / (data.R * T));
      const inside = deepest(c);
      known.set(T, { c, inside, chemical: gap(c, inside), E: NaN, coherent: null });
    }
    const row = known.get(T);
    if (row.E !== E) {
      row.b = (at(data.B, T) * E) / data.modulus / (data.R * T);
      row.strained = [row.c[0] - row.b, ...row.c.slice(1)];
      row.coherent = gap(row.strained, row.inside);
      row.E = E;
    }
    return row;
  }

  // Potential against lithium in mV by state: of the solution, and of two phases in their gaps. A
  // coherent mixture gets back what its lattice as a whole gives way.
  function potentials(x, T, E) {
    const row = ends(T, E), t = logit(x), volt = -data.volt * T;
    const solution = volt * mixing(row.c, t).w;
    const mixed = (gap, c, back) => (gap && gap.binodal[0] < t && t < gap.binodal[1]
      ? volt * (mixing(c, gap.binodal[0]).w + back) : solution);
    return {
      solution, chemical: mixed(row.chemical, row.c, 0),
      coherent: mixed(row.coherent, row.strained, row.b * x * x),
    };
  }

  // Volume of a mole of atoms at x, over that of another; volumes of the elements add up.
  function size(x, other, T) {
    const [lithium, sodium] = data.volume.map((column) => at(column, T));
    return ((1 - x) * lithium + x * sodium) / ((1 - other) * lithium + other * sodium);
  }

  // The Na-rich phase of a stress-free mixture: its composition, and share of the volume.
  function rich(x, T, E) {
    const gap = ends(T, E).chemical;
    if (!gap) return null;
    const [low, high] = gap.binodal.map(expit), share = (x - low) / (high - low);
    return share > 0 && share < 1 ? { x: high, volume: share * size(high, x, T) } : null;
  }

  // Logits of all boundaries by name; null where there is no gap.
  function boundaries(both) {
    return Object.fromEntries(data.boundaries.map((name) => {
      const [which, curve, side] = name.split(" ");
      return [name, both[which] && both[which][curve][side === "alpha" ? 0 : 1]];
    }));
  }

  // Key of a region; a point on a boundary counts with what lies beyond it.
  function classify(x, both) {
    const within = (which, curve) => {
      const found = both[which];
      return found && expit(found[curve][0]) <= x && x < expit(found[curve][1]) && x > 0;
    };
    const free = within("chemical", "spinodal"), held = within("coherent", "binodal");
    if (within("coherent", "spinodal")) return "coherent_spinodal";
    if (held) return free ? "incoherent_spinodal" : "nucleation";
    if (free) return "held_unstable";
    return within("chemical", "binodal") ? "held" : "single";
  }

  // The stripped alloy: the start, and every boundary it crosses; equal ones are one.
  function path(x0, T, E) {
    const both = ends(T, E), [lithium, sodium] = data.mass;
    const mass = (1 - x0) * lithium + x0 * sodium, full = ((1 - x0) * data.charge) / mass;
    let area = null; // of the foil before stripping, in g/cm²
    if (data.thickness !== null) {
      const volume = at(data.volume[0], T) * size(x0, 0, T);
      area = ((data.density ?? mass / 1000 / volume) * data.thickness) / 10;
    }
    const row = (boundaries, x, q) => ({
      boundaries, x, q, capacity: q * full, areal: area === null ? null : q * full * area,
      region: classify(x, both), E: potentials(x, T, E).solution,
    });
    const rows = [row(["start"], x0, 0)];
    const crossed = Object.entries(boundaries(both)).filter(([, t]) => t !== null)
      .map(([name, t]) => [name, expit(t)]).filter(([, x]) => x > x0).sort((a, b) => a[1] - b[1]);
    for (const [name, x] of crossed) {
      if (x === rows.at(-1).x) rows.at(-1).boundaries.push(name);
      else rows.push(row([name], x, (x - x0) / (x * (1 - x0))));
    }
    return { both, rows, full, area: area === null ? null : full * area };
  }

  // Mole fraction of Na before stripping of what is at x once a charge has left a gram of it, or a
  // cm² of a foil as thick.
  function before(x, [charge, unit], T) {
    const areal = unit !== "mAh/g", heavy = data.density && data.mass.map((m) => m / 1000 / data.density);
    const filled = heavy || data.volume.map((column) => at(column, T));
    const [lithium, sodium] = areal ? filled : data.mass;
    const taken = charge / data.charge / (areal ? data.thickness / 1e4 : 1);
    return (x * (1 - taken * lithium)) / (1 + x * taken * (sodium - lithium));
  }

  // An assessment of those that there are; returns all that holds for it.
  function use(name) {
    data = { ...given, ...given.assessments[name], assessment: name };
    if (!solved.has(name)) solved.set(name, new Map());
    known = solved.get(name);
    return data;
  }

  const open = (all) => {
    given = all;
    solved.clear();
    return use(Object.keys(all.assessments)[0]);
  };
  return { open, use, at, before, boundaries, classify, ends, expit, logit, path, potentials, rich, size };
})();
window.lina = lina;
