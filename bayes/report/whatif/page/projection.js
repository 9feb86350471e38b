// Scenarios on draws, as bayes.heroin.projection has them: the same arithmetic, draw by draw.

const AT_ONCE = 1e-6; // years
const ODDS_RANGE = 9.2; // log odds of a share of the pool that the table covers: shares of 0.0001 to 0.9999
const GRID = { odds: 72, shape: 24 }; // Chebyshev polynomials in each direction: to about 1e-9

/** Built share of a scenario's places, averaged over each year. */
function ramp(scenario, years) {
  const d = scenario.years_to_full;
  const integral = (t) => {
    const x = t - scenario.start_year;
    if (d < AT_ONCE) return Math.max(x, 0);
    if (scenario.ramp === "linear") return x < d ? Math.max(x, 0) ** 2 / (2 * d) : x - d / 2;
    const k = (2 * Math.log(99)) / d;
    const z = k * (x - d / 2);
    return (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) / k;
  };
  return Float64Array.from({ length: years }, (_, t) => integral(t + 1) - integral(t));
}

/**
 * log(L/f - 1), L the part of all offences that the most active share f of people commits, by the log odds of f:
 * L = Q(k + 1, x) = f + x^k e^(-x) / Γ(k + 1) where Q(k, x) = f.
 */
function logExcess(shape, odds) {
  const above = 1 / (1 + Math.exp(-odds));
  const logX = gammaInverse(shape, 1 / (1 + Math.exp(odds)), above);
  return logGammaStep(shape, logX) - Math.log(above);
}

/** The function of draw and share f that returns L/f - 1, from a table that is smooth in log odds and log shape. */
function topShareExcess(shapes) {
  const logs = shapes.map(Math.log);
  const [low, high] = [Math.min(...logs) - 1e-3, Math.max(...logs) + 1e-3];
  const odds = chebyshevPoints(GRID.odds, -ODDS_RANGE, ODDS_RANGE);
  const byShape = Array.from(chebyshevPoints(GRID.shape, low, high), (log) =>
    chebyshevCoefficients(odds.map((t) => logExcess(Math.exp(log), t))));
  const both = Array.from(odds, (_, j) => chebyshevCoefficients(Float64Array.from(byShape, (c) => c[j])));
  const own = new Float64Array(shapes.length * GRID.odds);
  logs.forEach((log, i) => {
    const z = (2 * log - low - high) / (high - low);
    both.forEach((c, j) => (own[i * GRID.odds + j] = chebyshev(c, 0, GRID.shape, z)));
  });
  return (i, f) => {
    const t = Math.log(f / (1 - f));
    const inside = Math.abs(t) <= ODDS_RANGE;
    return Math.exp(inside ? chebyshev(own, i * GRID.odds, GRID.odds, t / ODDS_RANGE) : logExcess(shapes[i], t));
  };
}

/** People in treatment, each counted by mean offending relative to the eligible pool: A(n). */
function weightedPeople(draws, excess, i, people) {
  const pool = draws.eligible_share[i] * draws.opioid_clients[i];
  const inside = Math.min(people, pool);
  const f = Math.min(Math.max(inside / pool, 1e-9), 1);
  const strength = draws.targeting_strength ? draws.targeting_strength[i] : 0;
  const gain = f < 1 && strength > 0 ? 1 + strength * excess(i, f) : 1;
  return inside * gain + (people - inside) * Math.exp(draws.offset_all_users[i]);
}

/** Offences avoided and patient-years added, each an array of draws for each year. */
function project(draws, excess, scenario, settings) {
  const n = draws.offences_per_user_year.length;
  const built = ramp(scenario, settings.horizon_years);
  const avoided = Array.from(built, () => new Float64Array(n));
  const patientYears = Array.from(built, () => new Float64Array(n));
  for (let i = 0; i < n; i += 1) {
    const clients = draws.opioid_clients[i];
    const cap = scenario.demand_cap ? draws.coverage_new[i] * clients : Infinity;
    const places = scenario.coverage_of ? draws[`coverage ${scenario.coverage_of}`][i] * clients : scenario.places;
    const filled = scenario.coverage_of ? 1 : draws.occupancy[i];
    const today = scenario.against === "today" ? draws.current_patients[i] : 0;
    const ratio = Math.exp(draws.fidelity[i] * draws.theta_new[i]);
    const each = draws.offences_per_user_year[i] * draws.drift[i] * (1 - ratio);
    const already = weightedPeople(draws, excess, i, today);
    let [before, value] = [NaN, 0];
    for (let t = 0; t < built.length; t += 1) {
      const served = Math.min(places * built[t] * filled, cap, draws.opiate_users[i]);
      if (served !== before) value = served > today ? weightedPeople(draws, excess, i, served) - already : 0;
      before = served;
      avoided[t][i] = value * each;
      patientYears[t][i] = served - Math.min(today, served);
    }
  }
  return { avoided, patientYears };
}

/** What is reported: offences and victim-counted crimes in a year and over the horizon, and the net benefit. */
function reported(draws, futures, settings, year) {
  const n = draws.offences_per_user_year.length;
  const found = Object.fromEntries(
    ["offencesYear", "crimesYear", "offencesTotal", "crimesTotal", "netBenefit"].map((key) => [key, new Float64Array(n)]));
  for (let t = 0; t < settings.horizon_years; t += 1) {
    const factor = (1 + settings.discount_rate) ** -t;
    const [avoided, people] = [futures.avoided[t], futures.patientYears[t]];
    for (let i = 0; i < n; i += 1) {
      found.offencesTotal[i] += avoided[i];
      found.netBenefit[i] += (avoided[i] * draws.cost_per_offence[i] - people[i] * draws.programme_cost[i]) * factor;
    }
  }
  const last = futures.avoided[year - 1];
  for (let i = 0; i < n; i += 1) {
    const share = draws.countable_share[i];
    found.offencesYear[i] = last[i];
    found.crimesYear[i] = last[i] * share;
    found.crimesTotal[i] = found.offencesTotal[i] * share;
  }
  return found;
}
