// Pareto-smoothed importance weights, weighted quantiles and their Monte Carlo errors.
//
// Vehtari, Simpson, Gelman, Yao and Gabry (2024), Pareto smoothed importance sampling, JMLR 25(72); the tail is fitted
// as by Zhang and Stephens (2009), Technometrics 51(3). Effective draws of a mean: Vehtari, Gelman, Simpson, Carpenter
// and Bürkner (2021), Bayesian Analysis 16(2), without ranks.

/** Order of the values, least first. */
function ordering(values) {
  return Uint32Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
}

const known = new WeakMap();

/** The order of draws that do not change, found once. */
function orderOf(draws) {
  if (!known.has(draws)) known.set(draws, ordering(draws));
  return known.get(draws);
}

/** Shape and scale of a generalised Pareto distribution for rising excesses, after Zhang and Stephens (2009). */
function fitPareto(excess) {
  const n = excess.length;
  const quartile = excess[Math.floor(n / 4 + 0.5) - 1];
  if (!(quartile > excess[0])) return { khat: NaN, sigma: NaN };
  const grid = 30 + Math.floor(Math.sqrt(n));
  const shape = (theta) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += Math.log1p(-theta * excess[i]);
    return sum / n;
  };
  const thetas = new Float64Array(grid);
  const profile = new Float64Array(grid);
  for (let j = 0; j < grid; j += 1) {
    thetas[j] = 1 / excess[n - 1] + (1 - Math.sqrt(grid / (j + 0.5))) / (3 * quartile);
    const k = shape(thetas[j]);
    profile[j] = n * (Math.log(-thetas[j] / k) - k - 1);
  }
  const top = Math.max(...profile);
  let total = 0;
  let theta = 0;
  for (let j = 0; j < grid; j += 1) {
    const weight = Math.exp(profile[j] - top);
    total += weight;
    theta += weight * thetas[j];
  }
  theta /= total;
  const k = shape(theta);
  const khat = (n * k + 5) / (n + 10); // as ten more excesses of shape 1/2: steadies short tails
  return Number.isNaN(khat) ? { khat: Infinity, sigma: NaN } : { khat, sigma: -k / theta };
}

/** Weights (summing to 1) and Pareto shape from log density ratios; shape -Infinity where no tail needs smoothing. */
function smoothedWeights(logRatio) {
  const n = logRatio.length;
  const logs = Float64Array.from(logRatio);
  let top = -Infinity;
  for (const value of logs) {
    if (Number.isNaN(value) || value === Infinity) return { values: null, khat: NaN, ess: 0 };
    if (value > top) top = value;
  }
  if (top === -Infinity) return { values: null, khat: NaN, ess: 0 };
  let positive = 0;
  for (let i = 0; i < n; i += 1) {
    logs[i] -= top;
    if (Math.exp(logs[i]) > 0) positive += 1;
  }
  const tail = n > 225 ? Math.floor(3 * Math.sqrt(n)) : Math.floor(n / 5);
  const order = ordering(logs);
  const last = order.subarray(n - tail);
  if (positive < Math.max(tail, 1)) return { ...normalised(logs, Infinity), positive }; // fewer than a tail takes
  let khat = -Infinity;
  if (tail >= 5 && logs[last[tail - 1]] - logs[last[0]] >= 1e-12) khat = smoothTail(logs, order, tail);
  return { ...normalised(logs, Number.isNaN(khat) ? Infinity : khat), positive };
}

/** Replaces the largest log weights by quantiles of the fitted tail, none above the largest; returns the shape. */
function smoothTail(logs, order, tail) {
  const n = logs.length;
  const last = order.subarray(n - tail);
  const cutoff = Math.exp(logs[order[n - tail - 1]]);
  const { khat, sigma } = fitPareto(Float64Array.from(last, (i) => Math.exp(logs[i]) - cutoff));
  if (!Number.isFinite(khat)) return khat;
  last.forEach((i, j) => {
    const depth = -Math.log1p(-(j + 0.5) / tail);
    const value = Math.log(cutoff + (sigma * (khat ? Math.expm1(khat * depth) / khat : depth)));
    logs[i] = Math.min(value, 0);
  });
  return khat;
}

function normalised(logs, khat) {
  const values = logs.map(Math.exp);
  const sum = total(values);
  let squares = 0;
  for (let i = 0; i < values.length; i += 1) {
    values[i] /= sum;
    squares += values[i] * values[i];
  }
  return { values, khat, ess: 1 / squares };
}

function equalWeights(n) {
  return { values: new Float64Array(n).fill(1 / n), khat: -Infinity, ess: n, positive: n, equal: true };
}

function total(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i];
  return sum;
}

/** Whether weights can be relied on, by the rules that the page carries. A shape that is no number cannot. */
function reliable(weights, rules) {
  return weights.values !== null && weights.khat <= rules.khat_limit && weights.ess >= rules.ess_least &&
    weights.positive >= rules.positive_least;
}

/** Whether the probability of a weighted quantile is known well enough for its error to be true. */
function levelKnown(one, p, rules) {
  return one.mcse <= rules.level_error * Math.min(p, 1 - p) * one.sparsity;
}

/**
 * The weighted distribution of draws as a quantile function: the draw at cumulated weight less half its own,
 * rescaled to [0, 1], linear between draws. Equal weights give the usual sample quantile.
 */
function quantileFunction(draws, weights) {
  if (weights.equal) return plainQuantile(Float64Array.from(draws).sort());
  const order = orderOf(draws);
  const position = new Float64Array(draws.length);
  let sum = 0;
  order.forEach((i, j) => {
    sum += weights.values[i];
    position[j] = sum - weights.values[i] / 2;
  });
  const first = position[0];
  const span = position[position.length - 1] - first;
  return (p) => {
    const goal = first + p * span;
    let low = 0;
    let high = position.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (position[middle] <= goal) low = middle;
      else high = middle;
    }
    const [a, b] = [draws[order[low]], draws[order[high]]];
    const gap = position[high] - position[low];
    return gap > 0 ? a + (b - a) * Math.min(1, Math.max(0, (goal - position[low]) / gap)) : a;
  };
}

/** The same for equal weights, of draws in order. */
function plainQuantile(ordered) {
  const last = ordered.length - 1;
  return (p) => {
    const at = Math.min(Math.max(p * last, 0), last);
    const low = Math.floor(at);
    return ordered[low] + (ordered[Math.min(low + 1, last)] - ordered[low]) * (at - low);
  };
}

/** A weighted quantile and its Monte Carlo standard error, that of the mean of its influences. */
function quantileWithError(draws, weights, quantile, p, chains) {
  const n = draws.length;
  const value = quantile(p);
  const width = Math.sqrt(p * (1 - p)) * weights.ess ** (-1 / 3);
  const [low, high] = [Math.max(p - width, 0), Math.min(p + width, 1)];
  const sparsity = (quantile(high) - quantile(low)) / (high - low);
  const influence = new Float64Array(n);
  for (let i = 0; i < n; i += 1) influence[i] = -sparsity * n * weights.values[i] * ((draws[i] <= value ? 1 : 0) - p);
  return { value, mcse: errorOfMean(influence, chains), sparsity };
}

/** The weighted probability that draws exceed a limit, with its Monte Carlo standard error. */
function exceedance(draws, weights, limit, chains) {
  let value = 0;
  for (let i = 0; i < draws.length; i += 1) if (draws[i] > limit) value += weights.values[i];
  const n = draws.length;
  const influence = Float64Array.from(draws, (x, i) => n * weights.values[i] * ((x > limit ? 1 : 0) - value));
  return { value, mcse: errorOfMean(influence, chains) };
}

/** Monte Carlo standard error of the mean of a series, chains end to end: its sd over the root of effective draws. */
function errorOfMean(series, chains) {
  const n = series.length;
  const mean = total(series) / n;
  let squares = 0;
  for (let i = 0; i < n; i += 1) squares += (series[i] - mean) ** 2;
  return squares > 0 ? Math.sqrt(squares / (n - 1) / effectiveDraws(series, chains)) : 0;
}

/** Effective draws of a mean: split chains, Geyer's initial positive and monotone sequences of autocorrelations. */
function effectiveDraws(series, chains) {
  const halves = splitChains(series, chains);
  const m = halves.length;
  const length = halves[0].length;
  const means = halves.map((half) => total(half) / length);
  const grand = means.reduce((a, b) => a + b, 0) / m;
  const covariance = (lag) => {
    let sum = 0;
    halves.forEach((half, c) => {
      for (let i = lag; i < length; i += 1) sum += (half[i] - means[c]) * (half[i - lag] - means[c]);
    });
    return sum / length / m;
  };
  const within = (covariance(0) * length) / (length - 1);
  const between = m > 1 ? means.reduce((a, mean) => a + (mean - grand) ** 2, 0) / (m - 1) : 0;
  const variance = (within * (length - 1)) / length + between;
  const rho = (lag) => (lag ? 1 - (within - covariance(lag)) / variance : 1);
  let tau = -1;
  let last = Infinity;
  for (let lag = 0; lag < length - 2; lag += 2) {
    const even = rho(lag);
    const pair = even + rho(lag + 1);
    if (pair < 0 || lag + 4 >= length) {
      tau += Math.max(even, 0);
      break;
    }
    last = Math.min(last, pair);
    tau += 2 * last;
  }
  const n = m * length;
  return n / Math.max(tau, 1 / Math.log10(n));
}

function splitChains(series, chains) {
  const length = Math.floor(series.length / chains);
  const half = Math.floor(length / 2);
  const found = [];
  for (let c = 0; c < chains; c += 1) {
    const start = c * length;
    found.push(series.subarray(start, start + half), series.subarray(start + length - half, start + length));
  }
  return found;
}
