// From a state to the numbers shown: projection and weights, each computed again only when it has changed.

const LEVELS = (prob) => [(1 - prob) / 2, 0.5, (1 + prob) / 2];

/** The model a page carries: its draws decoded, its records by name, its tape opened. */
function openModel(data) {
  const decoded = (table) => Object.fromEntries(Object.entries(table).map(([name, { values, shape }]) =>
    [name, valueOf(decodeDraws(values), shape)]));
  const inputs = { ...decoded(data.draws), ...decoded(data.data), [data.size]: scalar(data.chains * data.draws_per_chain) };
  return {
    data, inputs, tape: openTape(data.tape),
    scenarios: Object.fromEntries(data.scenarios.map((s) => [s.name, s])),
    priors: Object.fromEntries(data.priors.map((p) => [p.name, p])),
    controls: Object.fromEntries(data.controls.map((c) => [c.name, c])),
    numbers: Object.fromEntries(data.scenarios.map((s, i) => [s.name, i])),
    kept: {}, own: {}, played: lastOnly(), summed: lastOnly(), weighted: lastOnly(), playedBase: lastOnly(), base: lastOnly(), summary: lastOnly(),
    scheme: lastOnly(),
  };
}

/** Base64 to little-endian 64-bit floats. */
function decodeDraws(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
}

/** Keeps the last result of a computation under its key. */
function lastOnly() {
  let last = { key: null, value: null };
  return (key, compute) => {
    if (last.key !== key) last = { key, value: compute() };
    return last.value;
  };
}

/** Changed priors by what is done about them: drawn again exactly, or reached by weights. */
function changedPriors(model, now) {
  const names = Object.keys(now.parameters);
  return { redrawn: names.filter((n) => model.priors[n].redrawn), weighed: names.filter((n) => !model.priors[n].redrawn) };
}

/** The last of some values made under a name, as long as its key is the same: an input that is the same stays the same. */
function keptValue(model, name, key, make) {
  if (model.kept[name]?.key !== key) model.kept[name] = { key, value: make() };
  return model.kept[name].value;
}

/** The draws of a prior, as its own quantity: those of one element of a vector, or of all elements, draw after draw. */
function drawsOf(model, prior) {
  const { data } = model.inputs[prior.variable];
  if (prior.place === null && !prior.offset) return data;
  const [step, first] = prior.place === null ? [1, 0] : [elements(model, prior), prior.place];
  return keptValue(model, `draws ${prior.name}`, "", () =>
    Float64Array.from({ length: data.length / step }, (_, i) => data[i * step + first] + prior.offset));
}

const elements = (model, { variable }) => model.inputs[variable].data.length / (model.data.chains * model.data.draws_per_chain);

/** The draws of a variable with those of priors that no evidence bears on mapped to their new distributions: pairs of prior and parameters. */
function redrawn(model, variable, changed) {
  const before = model.inputs[variable];
  return keptValue(model, `redrawn ${variable}`, JSON.stringify(changed.map(([{ name }, now]) => [name, now])), () => {
    const data = Float64Array.from(before.data);
    for (const [prior, now] of changed) {
      const [step, first] = prior.place === null ? [1, 0] : [elements(model, prior), prior.place];
      const mapped = keptValue(model, `mapped ${prior.name}`, JSON.stringify(now), () => mapDraws(prior.family, prior.parameters, now, drawsOf(model, prior)));
      mapped.forEach((x, i) => (data[i * step + first] = x - prior.offset));
    }
    return valueOf(data, before.shape);
  });
}

/** A value of the data with numbers of one scenario, or of all, replaced: controls with what each sets. */
function withNumbers(value, scenario, changed) {
  const data = Float64Array.from(value.data);
  for (const [{ at }, number] of changed) data[at.reduce((sum, i, axis) => sum + (i ?? scenario) * value.strides[axis], 0)] = number;
  return { ...value, data };
}

/** The part of a value that belongs to one scenario: an axis of length one. */
function partOf(value, axis, at) {
  const shape = value.shape.map((n, i) => (i === axis ? 1 : n));
  return laidOut({ ...value, shape, offset: at * value.strides[axis] });
}

/** What comes out of the tape, by name, and where the scenario stands in it. */
function played(model, scenario, changes = {}, parameters = {}) {
  const { data } = model;
  const at = model.numbers[scenario];
  const found = { ...model.inputs };
  for (const [name, { axis }] of Object.entries(data.data)) {
    const changed = data.controls.filter((c) => c.of === name && changes[c.name] !== undefined).map((c) => [c, changes[c.name]]);
    if (data.sliced && axis !== null) found[name] = (model.own[`${at} ${name}`] ??= partOf(model.inputs[name], axis, at));
    if (!changed.length) continue;
    const key = JSON.stringify([at, changed.map(([c, number]) => [c.name, number])]);
    found[name] = keptValue(model, `data ${name}`, key, () => withNumbers(found[name], data.sliced ? 0 : at, changed));
  }
  const changed = Object.entries(parameters).map(([name, now]) => [model.priors[name], now]);
  for (const { variable } of changed.map(([prior]) => prior)) found[variable] = redrawn(model, variable, changed.filter(([prior]) => prior.variable === variable));
  return { found: model.tape.play(found), at: data.sliced ? 0 : at };
}

/** The outcomes by row, each draw by draw: at a time, or summed from the first to it. */
function rowsOf(model, { found, at }, place, rows = model.data.rows) {
  const { data } = model;
  return Object.fromEntries(rows.map((row) => {
    const value = found[row.outcome];
    const dims = data.axes[data.outcomes.indexOf(row.outcome)];
    const step = (dim) => (dims.includes(dim) ? value.strides[dims.indexOf(dim) + 1] : 0);
    const start = value.offset + (data.dims[0] ? at * step(data.dims[0]) : 0);
    const time = data.dims[1] ? step(data.dims[1]) : 0;
    const numbers = new Float64Array(data.chains * data.draws_per_chain);
    for (let t = row.total ? 0 : place; t <= place; t += 1)
      for (let i = 0; i < numbers.length; i += 1) numbers[i] += value.data[start + i * value.strides[0] + t * time];
    return [row.key, numbers];
  }));
}

function weigh(model, now, names) {
  if (!names.length) return equalWeights(model.data.chains * model.data.draws_per_chain);
  const sum = new Float64Array(model.data.chains * model.data.draws_per_chain);
  for (const name of names) {
    const { family, parameters } = model.priors[name];
    addLogRatio(sum, family, parameters, now.parameters[name], drawsOf(model, model.priors[name]));
  }
  return smoothedWeights(sum);
}

/** The draws of every row, and the weights, under a state. */
function weightedDraws(model, state) {
  const now = resolved(model, state);
  const { redrawn: again, weighed } = changedPriors(model, now);
  const chosen = (names) => Object.fromEntries(names.map((name) => [name, now.parameters[name]]));
  const key = JSON.stringify([state.scenario, state.data, chosen(again)]);
  const found = model.played(key, () => played(model, state.scenario, state.data, chosen(again)));
  const values = model.summed(`${key} ${now.place}`, () => rowsOf(model, found, now.place));
  const weights = model.weighted(JSON.stringify(chosen(weighed)), () => weigh(model, now, weighed));
  return { now, weighed, weights, values, found };
}

/** The scheme of a scenario: how large it is, time after time; medians where draws differ. Null where a question names none. */
function schemeOf(model, found, weights) {
  const { scheme, years } = model.data;
  return scheme && years.map((_, place) => {
    const draws = rowsOf(model, found, place, [scheme])[scheme.key];
    return draws.every((x) => x === draws[0]) ? draws[0] : quantileFunction(draws, weights)(0.5);
  });
}

/** Median, interval, probability above zero, each with its Monte Carlo error, and the quantile function behind them; null without a value. */
function summary(model, draws, weights) {
  const { chains, prob } = model.data;
  if (draws.some(Number.isNaN)) return null;
  const quantile = quantileFunction(draws, weights);
  const [lower, median, upper] = LEVELS(prob).map((p) => quantileWithError(draws, weights, quantile, p, chains));
  return { lower, median, upper, positive: exceedance(draws, weights, 0, chains), quantile };
}

/** Everything shown under a state. */
function answer(model, state) {
  const { now, weighed, weights, values, found } = weightedDraws(model, state);
  if (weights.values === null) return { now, weighed, weights, rows: null, exceeds: null, loose: [], scheme: null };
  const rows = Object.fromEntries(
    Object.entries(values).map(([key, draws]) => [key, summary(model, draws, weights)]));
  const exceeds = exceedance(values[model.data.rows[0].key], weights, now.threshold, model.data.chains);
  const loose = Object.keys(rows).filter((key) => rows[key] && isLoose(model, rows[key], values[key], weights));
  return { now, weighed, weights, rows, exceeds, loose, scheme: schemeOf(model, found, weights) };
}

/** Whether weights leave too few draws for a median or an end of an interval for which the fit itself has enough. */
function isLoose(model, row, draws, weights) {
  if (weights.equal) return false;
  const { chains, prob, rules } = model.data;
  const probs = LEVELS(prob);
  const known = (one) => [one.lower, one.median, one.upper].map((end, i) => levelKnown(end, probs[i], rules));
  const now = known(row);
  if (now.every(Boolean)) return false;
  const fitted = known(summary(model, draws, equalWeights(draws.length)));
  return now.some((sure, i) => !sure && fitted[i]);
}

/**
 * The unmodified answer to the same question: the same scenario, time and threshold, with the priors and data as they
 * were. Where the run has these numbers they are the run's, with its Monte Carlo errors.
 */
function unmodified(model, state) {
  const { place, threshold } = resolved(model, state);
  const key = `${state.scenario} ${place}`;
  const equal = equalWeights(model.data.chains * model.data.draws_per_chain);
  const found = model.playedBase(state.scenario, () => played(model, state.scenario));
  const values = model.base(key, () => rowsOf(model, found, place));
  const rows = model.summary(key, () => Object.fromEntries(model.data.rows.map((row) => {
    const found = summary(model, values[row.key], equal);
    return [row.key, found && { ...found, ...publishedRow(model, state.scenario, row, place) }];
  })));
  const scheme = model.scheme(state.scenario, () => schemeOf(model, found, equal));
  return { rows, scheme, exceeds: exceedance(values[model.data.rows[0].key], equal, threshold, model.data.chains) };
}

/** The run's own summary of a row, if it has one. */
function publishedRow(model, scenario, { key, total }, place) {
  const table = model.data.published[scenario][key] ?? [];
  const last = model.data.years.length - 1;
  const row = total ? (place === last ? table[0] : undefined) : table[place];
  if (!row) return {};
  const [median, lower, upper] = [0, 2, 4].map((i) => ({ value: row[i], mcse: row[i + 1] }));
  return { median, lower, upper };
}

/** Why the answer cannot be relied on, in words; empty if it can. The worst of several priors is named. */
function reasonAgainst(model, found) {
  const { weights, weighed, now } = found;
  const beyond = weighed.find((name) => widened(model.priors[name], now.parameters[name]));
  if (beyond) return `The prior of ${model.priors[beyond].title} now allows values that the fit ruled out, so that no draw has them.`;
  if (found.rows && !found.rows[model.data.rows[0].key]) return "Some draws have no value under these changes.";
  if (reliable(weights, model.data.rules)) return looseReason(model, found);
  const shapes = weighed.map((name) => [weigh(model, now, [name]).khat, name]);
  const worst = shapes.reduce((a, b) => (b[0] > a[0] || Number.isNaN(b[0]) ? b : a));
  const title = (name) => `“${model.priors[name].title}”`;
  const most = weights.values === null ? "no draw is left" : `about ${Math.max(1, Math.round(weights.ess))} of ${
    spoken(model.data.chains * model.data.draws_per_chain)} draws would carry the whole answer`;
  const whose = weighed.length > 1 ? `these priors, ${title(worst[1])} above all,` : `this prior of ${title(worst[1])}`;
  return `The fitted draws hold too little of what ${whose} would make likely: ${most}. Weights cannot stand in for a ` +
    "new fit here; download the changes and run them.";
}

/** Which ends rest on too few draws, in words; empty if none does. */
function looseReason(model, { loose, now }) {
  if (!loose.length) return "";
  const first = model.data.rows.find((row) => row.key === loose[0]);
  return `Too few of the fitted draws lie beyond an end of the interval of ${first.words}${whenOf(model, first, now)}` +
    `${loose.length > 1 ? " and of other rows" : ""}. Weights cannot stand in for a new fit here; download the changes and ` +
    "run them.";
}

/** Whether a changed prior has values outside the support of the one fitted. */
function widened(prior, now) {
  return Boolean(FAMILIES[prior.family].moves) && (now.lower < prior.parameters.lower || now.upper > prior.parameters.upper);
}
