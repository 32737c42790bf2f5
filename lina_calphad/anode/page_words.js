// Sentences and numbers of the page, as the command says them.
"use strict";

const linaWords = (() => {
  let data;
  const region = (key) => data.regions.find((one) => one.key === key);
  const celsius = (T) => `${(T - 273.15).toFixed(1)} °C`.replace("-", "−");
  const kelvin = (T) => `${Number(T.toFixed(2))} K (${celsius(T)})`;
  const fraction = (x) => (x > 0.99 ? `1 − ${fraction(1 - x)}`
    : x < 1e-3 ? x.toExponential(2).replace("e-", "·10⁻").replace(/\d$/, (n) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[n])
      : x.toPrecision(3));
  const areal = ({ areal: all }) => // three digits of what thin foils hold, too
    all.toFixed(2 + Math.max(0, Math.ceil(Math.log10(1e-5 / data.thickness))));
  const percent = (q) => (100 * q).toFixed(q > 0.99 || q <= 0.1 ? 2 : 1);

  const fill = (key, numbers) => data.sentences[key].replace(/{(\w+)}/g, (_, name) => numbers[name]);
  const millivolt = (E) => E.toFixed(Math.abs(E) < 1 ? 3 : 1).replace("-", "−");
  const metres = (size) => (size >= 1e-6 ? `${+(1e6 * size).toPrecision(3)} µm`
    : `${+(1e9 * size).toPrecision(3)} nm`);
  const charged = (row) => fill("charge", {
    q: percent(row.q), capacity: row.capacity.toFixed(0),
    area: row.areal === null ? "" : fill("area", { areal: areal(row) }),
  });
  const crossing = (rows, which) =>
    rows.find((row) => row.boundaries.includes(`${which} spinodal alpha`));

  // When it unmixes by itself, coherent and not.
  function verdict(both, rows) {
    if (!both.chemical) return fill("miscible", {});
    const [coherent, chemical] = ["coherent", "chemical"].map((which) => crossing(rows, which));
    const numbers = { chemical: chemical && chemical !== coherent ? charged(chemical) : "" };
    const more = (key) => (numbers.chemical ? fill(key, numbers) : "");
    if (coherent) return fill("onset", { coherent: charged(coherent), free: more("free") });
    if (rows[0].region === "coherent_spinodal") return fill("inside", {});
    return fill("never", { loose: more("loose") });
  }

  // What each assessment has: where they differ, that comes first.
  function disagreement({ x0, T, E }) {
    const own = data.assessment;
    const found = Object.keys(data.assessments).map((name) => {
      const of = lina.use(name);
      if (T > of.top) return { name, region: "liquid", fate: "fate_melts" };
      const stiff = E === data.modulus ? of.modulus : E, { rows } = lina.path(x0, T, stiff);
      const row = rows[0].region === "coherent_spinodal" ? rows[0] : crossing(rows, "coherent");
      return { name, region: rows[0].region, row,
        fate: row ? (row.q > 0 ? "fate_after" : "fate_now") : "fate_never" };
    });
    lina.use(own);
    const same = (key) => new Set(found.map((one) => one[key])).size < 2;
    if (same("region") && same("fate")) return "";
    const parts = found.map(({ name, region: key, fate, row }) =>
      `${name}: ${region(key).name}, ${fill(fate, { q: row ? percent(row.q) : "" })}`);
    const known = E === data.modulus ? data.shares : [];
    const also = known.filter((one) => one.T === T && one.share > 0.02 && one.share < 0.98)
      .map((one) => ` ${fill("gap_share", { ...one, T: `${T} K`, share: (100 * one.share).toFixed(0) })}`);
    return fill("disagree", { T: `${T} K`, parts: parts.join("; ") }) + also.join("");
  }

  // Potential, what is left, and what is there at the depth of the slider.
  function around({ x0, T, E, q }, { both, rows, full, area }, charge) {
    const at = (x) => lina.potentials(x, T, E);
    const start = rows[0].E, gap = both.chemical;
    const plateau = gap && at(lina.expit(gap.binodal[0])).solution;
    const top = gap && at(lina.expit(gap.spinodal[0])).solution;
    const within = gap && gap.spinodal.map((t) => x0 < lina.expit(t));
    const potential = fill(gap && within[0] ? "potential" : gap && within[1] ? "falling" : "alone", {
      start: millivolt(start), top: gap && millivolt(top), plateau: gap && millivolt(plateau),
    });
    const gone = x0 * lina.size(1, x0, T), now = lina.rich(x0, T, E);
    const sodium = data.thickness === null ? `${percent(gone)} % of the thickness`
      : metres(gone * data.thickness);
    const left = now ? fill("left", {
      volume: percent(now.volume), x: fraction(now.x), sodium, pores: percent(1 - gone),
    }) : "";
    const x = x0 / (x0 + (1 - x0) * (1 - q)), thick = (1 - q * (1 - x0)) * lina.size(x, x0, T);
    const mixed = lina.rich(x, T, E), volt = at(x);
    const deep = fill("depth", {
      charge: charged({ q, capacity: q * full, areal: area === null ? null : q * area }),
      thickness: data.thickness === null ? `${percent(thick)} % as thick`
        : `of ${metres(thick * data.thickness)}`,
      pores: percent(1 - thick), x: fraction(x), name: region(lina.classify(x, both)).name,
      E: millivolt(volt.solution), plateau: millivolt(volt.chemical), wanted: wanted(both, q, charge, T),
      volume: mixed ? percent(mixed.volume) : "nothing",
    });
    return { potential, left, deep };
  }

  // What unmixes by itself just at a depth: a share of its own Li, or a charge.
  function wanted({ coherent }, q, charge, T) {
    if (!coherent) return fill("unwanted", { reason: "there is no coherent spinodal" });
    const x = lina.expit(coherent.spinodal[0]);
    const x0 = charge ? lina.before(x, charge, T) : ((1 - q) * x) / (1 - q * x);
    return fill("wanted", { x0: percent(x0) });
  }

  const use = (given) => {
    data = given;
    return data;
  };
  return {
    use, areal, around, celsius, charged, disagreement, fill, fraction, kelvin, millivolt, percent,
    region, verdict,
  };
})();
