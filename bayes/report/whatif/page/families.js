// Families of distributions as declared: log density, what the two sliders mean, and the map between two members.

const Z95 = 1.6448536269514722; // standard normal quantile of 0.95

const LOG_SCALE = { slider: "log", span: 2.5 };

/** Shared by Normal, and by the two log-normals on the logarithm of the value above the shift. */
function logNormal(shiftOf) {
  return {
    word: "median",
    twoSliders: true,
    location: (p) => shiftOf(p) + Math.exp(p.mu),
    moved: (p, location, width) => ({ ...p, mu: Math.log(location - shiftOf(p)), sigma: p.sigma * width }),
    least: (p) => shiftOf(p),
    most: () => Infinity,
    steps: (p) => ({ ...LOG_SCALE, shift: shiftOf(p), scale: p.sigma }),
    logDensity: (p) => (x) => {
      const above = x - shiftOf(p);
      if (above <= 0) return -Infinity;
      const z = (Math.log(above) - p.mu) / p.sigma;
      return -0.5 * z * z - Math.log(p.sigma * above) - HALF_LOG_TWO_PI;
    },
    range: (p) => [-Z95, Z95].map((z) => shiftOf(p) + Math.exp(p.mu + p.sigma * z)),
    map: (old, now) => (x) =>
      shiftOf(now) + Math.exp(now.mu + (now.sigma * (Math.log(x - shiftOf(old)) - old.mu)) / old.sigma),
  };
}

/** A family on the whole line, symmetric about its median: standard log density, and its quantile of 0.95. */
function lineFamily(place, scale, logDensity, quantile) {
  return {
    word: "median",
    twoSliders: true,
    location: (p) => p[place],
    moved: (p, location, width) => ({ ...p, [place]: location, [scale]: p[scale] * width }),
    least: () => -Infinity,
    most: () => Infinity,
    steps: (p) => ({ slider: "line", half: 3 * p[scale] }),
    logDensity: (p) => {
      const standard = logDensity(p);
      return (x) => standard((x - p[place]) / p[scale]) - Math.log(p[scale]);
    },
    range: (p) => [-1, 1].map((sign) => p[place] + sign * p[scale] * quantile(p)),
    map: (old, now) => (x) => now[place] + (now[scale] * (x - old[place])) / old[scale],
  };
}

/** A family that a scale alone moves; `rate` is how the scale follows from the parameter, and back. */
function scaleFamily(word, name, rate, logDensity, quantile) {
  return {
    word,
    twoSliders: false,
    location: (p) => rate(p[name]),
    moved: (p, location) => ({ ...p, [name]: rate(location) }),
    least: () => 0,
    most: () => Infinity,
    steps: () => ({ ...LOG_SCALE, shift: 0, scale: 0.83 }),
    logDensity: (p) => (x) => (x < 0 ? -Infinity : logDensity(x / rate(p[name]), p) - Math.log(rate(p[name]))),
    range: (p) => [0.05, 0.95].map((u) => rate(p[name]) * quantile(u, p)),
    map: (old, now) => (x) => (x * rate(now[name])) / rate(old[name]),
  };
}

const same = (value) => value;
const inverse = (value) => 1 / value;

/** Standard log density of Student's t. */
const studentDensity = ({ nu }) => {
  const constant = -logBeta(nu / 2, 0.5) - 0.5 * Math.log(nu);
  return (z) => constant - ((nu + 1) / 2) * Math.log1p((z * z) / nu);
};

/** What |t| exceeds with probability 1 - u: t^2 / (nu + t^2) has a Beta distribution; from the nearer end of it. */
function studentWithin(u, nu) {
  const odds = u > 0.5 ? -betaLogOdds(1 - u, nu / 2, 0.5) : betaLogOdds(u, 0.5, nu / 2);
  return Math.sqrt(nu * Math.exp(odds));
}

const FAMILIES = {
  Normal: lineFamily("mu", "sigma", () => (z) => -0.5 * z * z - HALF_LOG_TWO_PI, () => Z95),
  "pymc.StudentT": lineFamily("mu", "sigma", studentDensity, (p) => studentWithin(0.9, p.nu)),
  "pymc.Cauchy": lineFamily("alpha", "beta", () => (z) => -Math.log(Math.PI) - Math.log1p(z * z),
    () => Math.tan(0.45 * Math.PI)),
  "pymc.Laplace": lineFamily("mu", "b", () => (z) => -Math.abs(z) - Math.LN2, () => Math.log(10)),
  "pymc.Logistic": lineFamily("mu", "s", () => (z) => -Math.abs(z) - 2 * Math.log1p(Math.exp(-Math.abs(z))),
    () => Math.log(19)),
  LogNormal: logNormal(() => 0),
  ShiftedLogNormal: logNormal((p) => p.shift),
  HalfNormal: scaleFamily("scale", "sigma", same, (x) => -0.5 * x * x + Math.LN2 - HALF_LOG_TWO_PI,
    (u) => ({ 0.05: 0.06270677794321386, 0.95: 1.9599639845400536 })[u]),
  HalfCauchy: scaleFamily("scale", "beta", same, (x) => Math.log(2 / Math.PI) - Math.log1p(x * x),
    (u) => Math.tan((Math.PI * u) / 2)),
  "pymc.HalfStudentT": scaleFamily("scale", "sigma", same, (x, p) => studentDensity(p)(x) + Math.LN2,
    (u, p) => studentWithin(u, p.nu)),
  "pymc.InverseGamma": scaleFamily("scale", "beta", same,
    (x, { alpha }) => (x > 0 ? -(alpha + 1) * Math.log(x) - 1 / x - logGamma(alpha) : -Infinity),
    (u, { alpha }) => Math.exp(-gammaInverse(alpha, 1 - u, u))),
  Exponential: scaleFamily("mean", "lam", inverse, (x) => -x, (u) => -Math.log1p(-u)),
  Beta: {
    word: "mean",
    twoSliders: true,
    location: (p) => p.alpha / (p.alpha + p.beta),
    // at a given mean the standard deviation goes as 1 / (α + β + 1)^(1/2); the width multiplies that
    moved: (p, location, width) => {
      const total = (p.alpha + p.beta + 1) / (width * width) - 1;
      return { alpha: location * total, beta: (1 - location) * total };
    },
    least: () => 0,
    most: () => 1,
    widest: (p) => Math.sqrt((p.alpha + p.beta + 1) / 1.1),
    steps: () => ({ slider: "odds", span: 3 }),
    logDensity: (p) => {
      const log = logBeta(p.alpha, p.beta);
      return (x) => (p.alpha - 1) * Math.log(x) + (p.beta - 1) * Math.log1p(-x) - log;
    },
    range: (p) => [betaQuantile(p, 0.05), 1 - betaQuantile({ alpha: p.beta, beta: p.alpha }, 0.05)],
    mapAll: mapBeta,
  },
  Gamma: {
    word: "mean",
    twoSliders: true,
    location: (p) => p.alpha / p.beta,
    moved: (p, location, width) => {
      const alpha = p.alpha / (width * width);
      return { alpha, beta: alpha / location };
    },
    least: () => 0,
    most: () => Infinity,
    steps: (p) => ({ ...LOG_SCALE, shift: 0, scale: 1 / Math.sqrt(p.alpha) }),
    logDensity: (p) => {
      const constant = p.alpha * Math.log(p.beta) - logGamma(p.alpha);
      return (x) => (x < 0 ? -Infinity : constant + (p.alpha - 1) * Math.log(x) - p.beta * x);
    },
    range: (p) => [0.05, 0.95].map((u) => Math.exp(gammaInverse(p.alpha, u, 1 - u)) / p.beta),
    map: (old, now) => (x) => {
      const [lower, upper] = gammaTails(old.alpha, Math.log(old.beta * x));
      return Math.exp(gammaInverse(now.alpha, lower, upper)) / now.beta;
    },
  },
  "pymc.Weibull": {
    word: "median",
    twoSliders: true,
    location: (p) => p.beta * Math.LN2 ** (1 / p.alpha),
    // the spread of its logarithm goes as 1 / α
    moved: (p, location, width) => ({ alpha: p.alpha / width, beta: location / Math.LN2 ** (width / p.alpha) }),
    least: () => 0,
    most: () => Infinity,
    steps: (p) => ({ ...LOG_SCALE, shift: 0, scale: 1 / p.alpha }),
    logDensity: (p) => (x) => {
      if (x < 0) return -Infinity;
      const log = Math.log(x / p.beta);
      return Math.log(p.alpha / p.beta) + (p.alpha - 1) * log - Math.exp(p.alpha * log);
    },
    range: (p) => [0.05, 0.95].map((u) => p.beta * (-Math.log1p(-u)) ** (1 / p.alpha)),
    map: (old, now) => (x) => now.beta * (x / old.beta) ** (old.alpha / now.alpha),
  },
  "pymc.Triangular": {
    word: "mode",
    twoSliders: true,
    moves: true,
    location: (p) => p.c,
    moved: (p, location, width) => ({ lower: location - (p.c - p.lower) * width, c: location, upper: location + (p.upper - p.c) * width }),
    least: () => -Infinity,
    most: () => Infinity,
    steps: (p) => ({ slider: "line", half: 1.5 * (p.upper - p.lower) }),
    logDensity: ({ lower, c, upper }) => (x) => {
      if (x < lower || x > upper) return -Infinity;
      return Math.log(2 / (upper - lower)) + Math.log(x === c ? 1 : x < c ? (x - lower) / (c - lower) : (upper - x) / (upper - c));
    },
    range: ({ lower, c, upper }) => [0.05, 0.95].map((u) => {
      const below = (c - lower) / (upper - lower);
      return u < below ? lower + Math.sqrt(u * (upper - lower) * (c - lower)) : upper - Math.sqrt((1 - u) * (upper - lower) * (upper - c));
    }),
    map: (old, now) => (x) => now.lower + ((x - old.lower) / (old.upper - old.lower)) * (now.upper - now.lower),
  },
  Uniform: {
    word: "middle",
    twoSliders: true,
    moves: true,
    location: (p) => (p.lower + p.upper) / 2,
    moved: (p, location, width) => {
      const half = ((p.upper - p.lower) / 2) * width;
      return { lower: location - half, upper: location + half };
    },
    least: () => -Infinity,
    most: () => Infinity,
    steps: (p) => ({ slider: "line", half: 1.5 * (p.upper - p.lower) }),
    logDensity: (p) => (x) => (x < p.lower || x > p.upper ? -Infinity : -Math.log(p.upper - p.lower)),
    range: (p) => [0.05, 0.95].map((u) => p.lower + u * (p.upper - p.lower)),
    map: (old, now) => (x) =>
      now.lower + ((x - old.lower) / (old.upper - old.lower)) * (now.upper - now.lower),
  },
};

/**
 * What is left of a family between two ends, which stay. Its density is known up to a number that the weights of draws
 * do not see, and its quantiles are not: draws are reached by weights, and the ends are said in place of a range.
 */
function cutOff(family) {
  return {
    ...family,
    word: `${family.word} before it is cut off`,
    moved: (p, location, width) => ({ ...p, ...family.moved(p, location, width) }),
    logDensity: (p) => {
      const inside = family.logDensity(p);
      return (x) => (x < (p.lower ?? -Infinity) || x > (p.upper ?? Infinity) ? -Infinity : inside(x));
    },
    range: null,
    map: null,
    mapAll: null,
  };
}

for (const [name, family] of Object.entries(FAMILIES)) if (!family.moves) FAMILIES[`Truncated ${name}`] = cutOff(family);
FAMILIES["pymc.TruncatedNormal"] = cutOff(FAMILIES.Normal);

function betaQuantile(p, u) {
  return 1 / (1 + Math.exp(-betaLogOdds(u, p.alpha, p.beta)));
}

/** Log odds of the quantile of a Beta at a probability of at most a half, from the power that leads its tail. */
function betaLogOdds(u, alpha, beta) {
  const start = (Math.log(u) + Math.log(alpha) + logBeta(alpha, beta)) / alpha;
  return betaInverse(u, alpha, beta, Math.min(start, 30));
}

/** Draws of one Beta to those of another, x' = F_new^(-1)(F_old(x)): from each end to the middle, root after root. */
function mapBeta(old, now, draws) {
  const mapped = new Float64Array(draws.length);
  const order = ordering(draws);
  const half = (indices, value, a, b, flip) => {
    let start = null;
    for (const i of indices) {
      const x = value(draws[i]);
      const lower = betaTails(x, 1 - x, old[a], old[b])[0];
      if (lower > 0.5) return;
      start ??= Math.min((Math.log(lower) + Math.log(now[a]) + logBeta(now[a], now[b])) / now[a], 30);
      start = betaInverse(lower, now[a], now[b], start);
      mapped[i] = 1 / (1 + Math.exp(flip * start));
    }
  };
  half(order, same, "alpha", "beta", -1);
  half(order.reverse(), (x) => 1 - x, "beta", "alpha", 1);
  return mapped;
}

/** Draws of one member of a family as draws of another; each keeps its rank. */
function mapDraws(family, old, now, draws) {
  const { map, mapAll } = FAMILIES[family];
  return mapAll ? mapAll(old, now, draws) : Float64Array.from(draws, map(old, now));
}

/** Adds log p_new(x) - log p_old(x) to a running sum over draws. */
function addLogRatio(sum, family, old, now, draws) {
  const [above, below] = [FAMILIES[family].logDensity(now), FAMILIES[family].logDensity(old)];
  const each = draws.length / sum.length; // elements of a vector that share their prior
  for (let i = 0; i < draws.length; i += 1) sum[Math.floor(i / each)] += above(draws[i]) - below(draws[i]);
}
