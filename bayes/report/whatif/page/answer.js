// From a state to the numbers shown: projection and weights, each computed again only when it has changed.

const LEVELS = (prob) => [(1 - prob) / 2, 0.5, (1 + prob) / 2];

/** The model a page carries: its draws decoded, its records by name. */
function openModel(data) {
  const draws = Object.fromEntries(Object.entries(data.draws).map(([name, text]) => [name, decodeDraws(text)]));
  return {
    data, draws,
    scenarios: Object.fromEntries(data.scenarios.map((s) => [s.name, s])),
    priors: Object.fromEntries(data.priors.map((p) => [p.name, p])),
    excess: topShareExcess(draws.shape_year),
    projected: lastOnly(), weighted: lastOnly(), summed: lastOnly(),
    foreseen: lastOnly(), overall: lastOnly(), yearly: lastOnly(),
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
  return { redrawn: names.filter((n) => model.priors[n].forward), weighed: names.filter((n) => !model.priors[n].forward) };
}

/** Draws with the priors that no evidence bears on mapped to their new distributions. */
function redraw(model, now, names) {
  const draws = { ...model.draws };
  for (const name of names) {
    const { family, parameters } = model.priors[name];
    draws[name] = mapDraws(family, parameters, now.parameters[name], model.draws[name]);
  }
  return draws;
}

function weigh(model, now, names) {
  if (!names.length) return equalWeights(model.data.chains * model.data.draws_per_chain);
  const sum = new Float64Array(model.data.chains * model.data.draws_per_chain);
  for (const name of names) {
    const { family, parameters } = model.priors[name];
    addLogRatio(sum, family, parameters, now.parameters[name], model.draws[name]);
  }
  return smoothedWeights(sum);
}

/** The draws of every reported quantity, and the weights, under a state. */
function weightedDraws(model, state) {
  const now = resolved(model, state);
  const { redrawn, weighed } = changedPriors(model, now);
  const chosen = (names) => names.map((name) => [name, now.parameters[name]]);
  const key = JSON.stringify([now.scenario, now.settings.horizon_years, chosen(redrawn)]);
  const { draws, futures } = model.projected(key, () => {
    const draws = redraw(model, now, redrawn);
    return { draws, futures: project(draws, model.excess, now.scenario, now.settings) };
  });
  const weights = model.weighted(JSON.stringify(chosen(weighed)), () => weigh(model, now, weighed));
  const values = model.summed(key + JSON.stringify([now.settings, now.year]), () =>
    reported(draws, futures, now.settings, now.year));
  return { now, weighed, weights, values };
}

/** Median, interval, P(> 0), each with its Monte Carlo error, and the quantile function behind them. */
function summary(model, draws, weights) {
  const { chains, prob } = model.data;
  const quantile = quantileFunction(draws, weights);
  const [lower, median, upper] = LEVELS(prob).map((p) => quantileWithError(draws, weights, quantile, p, chains));
  return { lower, median, upper, positive: exceedance(draws, weights, 0, chains), quantile };
}

/** Everything shown under a state. */
function answer(model, state) {
  const { now, weighed, weights, values } = weightedDraws(model, state);
  if (weights.values === null) return { now, weighed, weights, rows: null, exceeds: null, loose: [] };
  const rows = Object.fromEntries(
    Object.entries(values).map(([key, draws]) => [key, summary(model, draws, weights)]));
  const exceeds = exceedance(values.offencesYear, weights, now.threshold, model.data.chains);
  const loose = Object.keys(rows).filter((key) => isLoose(model, rows[key], values[key], weights));
  return { now, weighed, weights, rows, exceeds, loose };
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
 * The unmodified answer to the same question: the same scenario, year, horizon, discount rate and threshold, with the
 * study's priors and programme. Where the run has these numbers they are the run's, with its Monte Carlo errors.
 */
function unmodified(model, state) {
  const { year, threshold, settings } = resolved(model, state);
  const { horizon_years: horizon, discount_rate: rate } = settings;
  const own = model.data.settings;
  const equal = equalWeights(model.draws.offences_per_user_year.length);
  const futures = model.foreseen(`${state.scenario} ${horizon}`, () =>
    project(model.draws, model.excess, model.scenarios[state.scenario], { horizon_years: horizon }));
  const values = reported(model.draws, futures, settings, year);
  const rowsOf = (part) => Object.fromEntries(Object.keys(values).filter((key) => key.endsWith("Year") === part).map((key) =>
    [key, { ...summary(model, values[key], equal), ...(part || (horizon === own.horizon_years && rate === own.discount_rate)
      ? publishedRow(model, state.scenario, key, year) : {}) }]));
  const overall = model.overall(`${state.scenario} ${horizon} ${rate}`, () => rowsOf(false));
  const yearly = model.yearly(`${state.scenario} ${year}`, () => rowsOf(true));
  const exceeds = exceedance(values.offencesYear, equal, threshold, model.data.chains);
  return { rows: { ...yearly, ...overall }, exceeds };
}

/** The run's own summary of a quantity, if it has one. */
function publishedRow(model, scenario, name, year) {
  const table = model.data.published[scenario][name];
  const row = table[name.endsWith("Year") ? year - 1 : 0];
  if (!row) return {};
  const [median, lower, upper] = [0, 2, 4].map((i) => ({ value: row[i], mcse: row[i + 1] }));
  return { median, lower, upper };
}

/** Why the answer cannot be relied on, in words; empty if it can. The worst of several priors is named. */
function reasonAgainst(model, found) {
  const { weights, weighed, now } = found;
  const beyond = weighed.find((name) => widened(model.priors[name], now.parameters[name]));
  if (beyond) return `The prior of ${beyond} now allows values that the fit ruled out, so that no draw has them.`;
  if (reliable(weights, model.data.rules)) return looseReason(found);
  const shapes = weighed.map((name) => [weigh(model, now, [name]).khat, name]);
  const worst = shapes.reduce((a, b) => (b[0] > a[0] || Number.isNaN(b[0]) ? b : a));
  const most = weights.values === null ? "no draw is left" : `about ${Math.max(1, Math.round(weights.ess))} of ${
    spoken(model.data.chains * model.data.draws_per_chain)} draws would carry the whole answer`;
  const whose = weighed.length > 1 ? `these priors, ${worst[1]} above all,` : `this prior of ${worst[1]}`;
  return `The fitted draws hold too little of what ${whose} would make likely: ${most}. Weights cannot stand in for a ` +
    "new fit here; download the changes and run them.";
}

/** Which ends rest on too few draws, in words; empty if none does. */
function looseReason({ loose, now }) {
  if (!loose.length) return "";
  return `Too few of the fitted draws lie beyond an end of the interval of ${ROWS[loose[0]](now).toLowerCase()}` +
    `${loose.length > 1 ? " and of other rows" : ""}. Weights cannot stand in for a new fit here; download the changes and ` +
    "run them.";
}

/** Whether a changed prior has values outside the support of the one fitted. */
function widened(prior, now) {
  return prior.family === "Uniform" && (now.lower < prior.parameters.lower || now.upper > prior.parameters.upper);
}
