// Special functions, each from its series, continued fraction or Newton iteration, to about 1e-13 relative.

const HALF_LOG_TWO_PI = 0.91893853320467274178;
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
const TINY = 1e-300;
const CLOSE = 1e-16;

/** log Γ(x) for x > 0: Stirling's series (DLMF 5.11.1) beyond 10, reached by Γ(x + 1) = x Γ(x). */
function logGamma(x) {
  let below = 1;
  let z = x;
  while (z < 10) {
    below *= z;
    z += 1;
  }
  const square = 1 / (z * z);
  let sum = 0;
  for (let i = STIRLING.length - 1; i >= 0; i -= 1) sum = sum * square + STIRLING[i];
  return (z - 0.5) * Math.log(z) - z + HALF_LOG_TWO_PI + sum / z - Math.log(below);
}

/** log of x^k e^(-x) / Γ(k + 1), x given by its logarithm: what P(k, x) exceeds P(k + 1, x) by. */
function logGammaStep(k, logX) {
  return k * logX - Math.exp(logX) - logGamma(k + 1);
}

/** [P(k, x), Q(k, x)], regularised incomplete gamma functions: series below k + 1, continued fraction above. */
function gammaTails(k, logX) {
  const x = Math.exp(logX);
  if (!(k > 0) || Number.isNaN(logX)) return [NaN, NaN];
  if (x === Infinity) return [1, 0];
  const lead = Math.exp(logGammaStep(k, logX));
  const one = x < k + 1 ? Math.min(lead * gammaSeries(k, x), 1) : Math.min(lead * k * gammaFraction(k, x), 1);
  return x < k + 1 ? [one, 1 - one] : [1 - one, one];
}

/** 1 + x / (k + 1) + x^2 / ((k + 1) (k + 2)) + …, DLMF 8.7.1. */
function gammaSeries(k, x) {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > CLOSE * sum; n += 1) {
    term *= x / (k + n);
    sum += term;
  }
  return sum;
}

/** 1 / (x + 1 - k - 1 (1 - k) / (x + 3 - k - 2 (2 - k) / …)), DLMF 8.9.2 contracted; by Lentz's method. */
function gammaFraction(k, x) {
  let b = x + 1 - k;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 10000; n += 1) {
    const a = -n * (n - k);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < CLOSE * 4) break;
  }
  return fraction;
}

/** log x where P(k, x) = lower and Q(k, x) = upper, lower + upper = 1: Newton, kept in a bracket. */
function gammaInverse(k, lower, upper) {
  const left = lower <= upper;
  const goal = Math.log(left ? lower : upper);
  let low = (Math.log(lower) + logGamma(k + 1)) / k; // P(k, x) < x^k / Γ(k + 1), so the root is to the right
  let high = Math.max(low, Math.log(k + 1)) + 1;
  while (gammaTails(k, high)[1] > upper) high += 1;
  let at = left ? low : Math.max(low, Math.min(high, Math.log(k)));
  for (let i = 0; i < 200; i += 1) {
    const tails = gammaTails(k, at);
    const value = tails[left ? 0 : 1];
    const gap = Math.log(value) - goal;
    const rises = left === gap < 0;
    if (rises) low = at;
    else high = at;
    const slope = (k * Math.exp(logGammaStep(k, at))) / value; // of P in log x; Q falls as P rises
    let next = at - ((left ? 1 : -1) * gap) / slope;
    if (!(next > low && next < high) && Math.abs(gap) > 1e-15) next = (low + high) / 2;
    if (Math.abs(next - at) < 1e-15 * Math.max(1, Math.abs(at)) || Math.abs(gap) < 1e-15) return next;
    at = next;
  }
  return at;
}

/** [I_x(a, b), 1 - I_x(a, b)], regularised incomplete beta, of x and 1 - x: continued fraction, DLMF 8.17.22. */
function betaTails(x, rest, a, b) {
  if (x > (a + 1) / (a + b + 2)) {
    const [upper, lower] = betaTails(rest, x, b, a);
    return [lower, upper];
  }
  const logLead = a * Math.log(x) + b * Math.log(rest) - logBeta(a, b) - Math.log(a);
  let c = 1;
  let d = 1 / Math.max(1 - ((a + b) * x) / (a + 1), TINY);
  let fraction = d;
  for (let m = 1; m < 10000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < CLOSE * 4) break;
  }
  const lower = Math.min(Math.exp(logLead) * fraction, 1);
  return [lower, 1 - lower];
}

function logBeta(a, b) {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/**
 * Log odds of x where I_x(a, b) = probability, a probability of at most a half, from a start on either side.
 * log I is concave in the log odds, so that Newton's method reaches the root from its left without overshooting.
 */
function betaInverse(probability, a, b, start) {
  const goal = Math.log(probability);
  const log = logBeta(a, b);
  let at = start;
  for (let i = 0; i < 200; i += 1) {
    const x = 1 / (1 + Math.exp(-at));
    const rest = 1 / (1 + Math.exp(at));
    const value = betaTails(x, rest, a, b)[0];
    const slope = Math.exp(a * Math.log(x) + b * Math.log(rest) - log) / value;
    const step = (goal - Math.log(value)) / slope;
    at += Math.max(-8, Math.min(8, step));
    if (Math.abs(step) < 1e-8) return at;
  }
  return at;
}

/** Values at Chebyshev points cos(π (i + 1/2) / n), i = 0 … n - 1, to coefficients of Chebyshev polynomials. */
function chebyshevCoefficients(values) {
  const n = values.length;
  return Float64Array.from({ length: n }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += values[i] * Math.cos((Math.PI * j * (i + 0.5)) / n);
    return ((j ? 2 : 1) * sum) / n;
  });
}

/** Chebyshev points of n on [low, high]. */
function chebyshevPoints(n, low, high) {
  return Float64Array.from({ length: n }, (_, i) => {
    return (low + high) / 2 + ((high - low) / 2) * Math.cos((Math.PI * (i + 0.5)) / n);
  });
}

// --- functions by the names SciPy has for them ------------------------------------------------

/** log |Γ(x)| for any x, by reflection (DLMF 5.5.3) below zero. */
function logAbsGamma(x) {
  if (x > 0) return x === Infinity ? Infinity : logGamma(x);
  if (Number.isInteger(x)) return Infinity;
  return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
}

function gammaOf(x) {
  if (x > 0) return x > 171.7 ? Infinity : Number.isInteger(x) && x < 23 ? factorial(x - 1) : Math.exp(logGamma(x));
  return Number.isInteger(x) ? NaN : Math.PI / (Math.sin(Math.PI * x) * gammaOf(1 - x));
}

function factorial(n) {
  let product = 1;
  for (let i = 2; i <= n; i += 1) product *= i;
  return product;
}

const DIGAMMA = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12];

/** ψ(x): its asymptotic series (DLMF 5.11.2) beyond 10, reached by recurrence; by reflection below zero. */
function digamma(x) {
  if (x <= 0) return Number.isInteger(x) ? NaN : digamma(1 - x) - Math.PI / Math.tan(Math.PI * x);
  let sum = 0;
  let z = x;
  while (z < 10) {
    sum -= 1 / z;
    z += 1;
  }
  const square = 1 / (z * z);
  let series = 0;
  for (let i = DIGAMMA.length - 1; i >= 0; i -= 1) series = (series + DIGAMMA[i]) * square;
  return sum + Math.log(z) - 1 / (2 * z) - series;
}

/** [erf |x|, erfc |x|]: the error function is an incomplete gamma function of shape 1/2 (DLMF 7.11.1). */
function errorTails(x) {
  return x === 0 ? [0, 1] : gammaTails(0.5, 2 * Math.log(Math.abs(x)));
}

const erf = (x) => Math.sign(x) * errorTails(x)[0];
const erfc = (x) => (x < 0 ? 1 + errorTails(x)[0] : errorTails(x)[1]);

/** |x| where erf |x| = lower and erfc |x| = upper. */
function errorInverse(lower, upper) {
  return lower === 0 ? 0 : upper === 0 ? Infinity : Math.exp(gammaInverse(0.5, lower, upper) / 2);
}

const erfinv = (y) => (Math.abs(y) > 1 ? NaN : Math.sign(y) * errorInverse(Math.abs(y), 1 - Math.abs(y)));
const erfcinv = (y) => (y > 1 ? -errorInverse(y - 1, 2 - y) : errorInverse(1 - y, y));

/** P(k, x) or Q(k, x). */
function gammaTail(which) {
  let [last, logOfLast] = [NaN, NaN]; // the shape is often that of the number before
  return (k, x) => {
    if (!(k > 0) || !(x >= 0)) return NaN;
    if (x === 0 || x === Infinity) return x === 0 ? which : 1 - which;
    if (k !== last) [last, logOfLast] = [k, logGamma(k + 1)];
    const lead = Math.exp(k * Math.log(x) - x - logOfLast);
    if (x < k + 1) {
      const lower = Math.min(lead * gammaSeries(k, x), 1);
      return which ? 1 - lower : lower;
    }
    const upper = Math.min(lead * k * gammaFraction(k, x), 1);
    return which ? upper : 1 - upper;
  };
}

/** x where P(k, x) = p (which 0), or Q(k, x) = p (which 1). */
function gammaQuantile(which) {
  return (k, p) => {
    if (!(p >= 0 && p <= 1)) return NaN;
    if (p === which) return 0;
    if (p === 1 - which) return Infinity;
    return Math.exp(which ? gammaInverse(k, 1 - p, p) : gammaInverse(k, p, 1 - p));
  };
}

function betaTail(a, b, x) {
  return x <= 0 || x >= 1 ? (x < 0 || x > 1 ? NaN : x) : betaTails(x, 1 - x, a, b)[0];
}

function betaQuantileOf(a, b, p) {
  if (!(p > 0 && p < 1)) return p === 0 || p === 1 ? p : NaN;
  if (betaTails(0.5, 0.5, a, b)[0] < p && p > 0.5) return 1 - betaQuantileOf(b, a, 1 - p);
  const start = (Math.log(p) + Math.log(a) + logBeta(a, b)) / a;
  return 1 / (1 + Math.exp(-betaInverse(p, a, b, Math.min(start, 30))));
}

/** A Chebyshev series by Clenshaw's recurrence; its n coefficients start at an offset. */
function chebyshev(coefficients, offset, n, z) {
  let next = 0;
  let after = 0;
  for (let j = n - 1; j > 0; j -= 1) {
    const now = coefficients[offset + j] + 2 * z * next - after;
    after = next;
    next = now;
  }
  return coefficients[offset] + z * next - after;
}

const TABLE = { shape: 20, odds: 20, width: 3.5, panels: 8, digits: 1e-8 }; // Chebyshev points, panels of log odds, how exact

/**
 * Quantiles of the gamma distribution for many probabilities of each of some shapes: a function of the number of a shape
 * and a probability. What log x has beyond its limit for small x, (log P + log Γ(k + 1)) / k, is tabulated over log odds
 * and log shape, a panel of log odds when it is first needed; a panel that is not exact enough between its points is
 * left to the exact function, as are log odds beyond the panels.
 */
function gammaQuantileTable(shapes, which) {
  const exact = gammaQuantile(which);
  const limits = shapes.map((k) => logGamma(k + 1) / k);
  const limit = (k, p) => (which ? Math.log1p(-p) : Math.log(p)) / k;
  const logs = shapes.map(Math.log);
  let [low, high] = [Infinity, -Infinity];
  for (const log of logs) [low, high] = [Math.min(low, log), Math.max(high, log)];
  if (!Number.isFinite(low) || !Number.isFinite(high)) return (i, p) => exact(shapes[i], p);
  [low, high] = [low - 1e-3, high + 1e-3];
  const first = (-TABLE.panels * TABLE.width) / 2;
  const panels = Array.from({ length: TABLE.panels }, () => undefined);
  const beyond = (k, odds) => {
    const [above, below] = [1 / (1 + Math.exp(-odds)), 1 / (1 + Math.exp(odds))];
    const lower = which ? below : above;
    return gammaInverse(k, lower, which ? above : below) - (Math.log(lower) + logGamma(k + 1)) / k;
  };
  const made = (number) => {
    const start = first + number * TABLE.width;
    const odds = chebyshevPoints(TABLE.odds, start, start + TABLE.width);
    const byShape = Array.from(chebyshevPoints(TABLE.shape, low, high), (log) =>
      chebyshevCoefficients(odds.map((t) => beyond(Math.exp(log), t))));
    const both = Array.from(odds, (_, j) => chebyshevCoefficients(Float64Array.from(byShape, (c) => c[j])));
    const own = new Float64Array(shapes.length * TABLE.odds);
    logs.forEach((log, i) => {
      const z = (2 * log - low - high) / (high - low);
      for (let j = 0; j < TABLE.odds; j += 1) own[i * TABLE.odds + j] = chebyshev(both[j], 0, TABLE.shape, z);
    });
    for (let trial = 0; trial < 20; trial += 1) {
      const i = Math.floor(((trial + 0.5) * shapes.length) / 20);
      const z = Math.cos(trial + 0.5);
      const gap = chebyshev(own, i * TABLE.odds, TABLE.odds, z) - beyond(shapes[i], start + ((z + 1) / 2) * TABLE.width);
      if (!(Math.abs(gap) < TABLE.digits)) return null;
    }
    return own;
  };
  return (i, p) => {
    const place = (Math.log(p / (1 - p)) - first) / TABLE.width;
    const number = Math.floor(place);
    if (!(number >= 0 && number < TABLE.panels)) return exact(shapes[i], p);
    const own = panels[number] === undefined ? (panels[number] = made(number)) : panels[number];
    if (own === null) return exact(shapes[i], p);
    const more = chebyshev(own, i * TABLE.odds, TABLE.odds, 2 * (place - number) - 1);
    return Math.exp(limit(shapes[i], p) + limits[i] + more);
  };
}
