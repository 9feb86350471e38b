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
  const lead = Math.exp(logGammaStep(k, logX));
  if (x < k + 1) {
    let term = 1;
    let sum = 1;
    for (let n = 1; term > CLOSE * sum; n += 1) {
      term *= x / (k + n);
      sum += term;
    }
    const lower = Math.min(lead * sum, 1);
    return [lower, 1 - lower];
  }
  // Q = x^k e^(-x) / Γ(k) / (x + 1 - k - 1 (1 - k) / (x + 3 - k - 2 (2 - k) / …)), DLMF 8.9.2 contracted; Lentz
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
  const upper = Math.min(lead * k * fraction, 1);
  return [1 - upper, upper];
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
