// What the reader has changed: plain data, to and from the fragment of the address, to TOML, to a sentence.
// null stands for "as in the study".

const PREFIX = "#what-if?";
const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const LIMITS = {
  places: [0, 1e7], years: [0, 50], horizon: [1, 50], year: [1, 50], rate: [0, 0.2], threshold: [-1e15, 1e15],
};
const WHOLE = ["horizon", "year"];
const WIDTHS = [0.05, 20];

function unchanged(scenario) {
  return {
    scenario, places: null, years: null, ramp: null, cap: null,
    horizon: null, year: null, rate: null, threshold: null, priors: {},
  };
}

/** The scenario, settings and priors that a state puts in force, each in the words of the study's files. */
function resolved(model, state) {
  const own = model.scenarios[state.scenario];
  const horizon = state.horizon ?? model.data.settings.horizon_years;
  return {
    scenario: {
      ...own,
      places: state.places ?? own.places,
      coverage_of: state.places === null ? own.coverage_of : "",
      years_to_full: state.years ?? own.years_to_full,
      ramp: state.ramp ?? own.ramp,
      demand_cap: state.cap ?? own.demand_cap,
    },
    settings: { horizon_years: horizon, discount_rate: state.rate ?? model.data.settings.discount_rate },
    year: Math.min(state.year ?? horizon, horizon),
    threshold: state.threshold ?? model.data.threshold,
    parameters: Object.fromEntries(
      Object.entries(state.priors).map(([name, change]) => [name, changedParameters(model.priors[name], change)])),
  };
}

function changedParameters(prior, { location, width }) {
  if (location === null && width === null) return prior.parameters;
  const family = FAMILIES[prior.family];
  return family.moved(prior.parameters, location ?? family.location(prior.parameters), width ?? 1);
}

/** Why a prior cannot have this location and width; empty if it can. */
function faultOfPrior(prior, { location, width }) {
  const family = FAMILIES[prior.family];
  const [least, most] = [Math.max(family.least(prior.parameters), prior.lower), Math.min(family.most(), prior.upper)];
  const [narrowest, widest] = [WIDTHS[0], Math.min(WIDTHS[1], family.widest?.(prior.parameters) ?? Infinity)];
  if (location !== null && !(location > least && location < most))
    return `the ${family.word} lies between ${spoken(least)} and ${spoken(most)}`;
  if (width !== null && !family.twoSliders) return "this family has no width of its own";
  if (width !== null && !(width >= narrowest && width <= widest))
    return `the width lies between ${spoken(narrowest)} and ${spoken(widest)} times that of the study`;
  return "";
}

/** The same state with null wherever a value is that of the study. */
function tidied(model, state) {
  const kept = { ...state, priors: {} };
  const same = resolved(model, unchanged(state.scenario));
  const defaults = {
    places: same.scenario.places, years: same.scenario.years_to_full, ramp: same.scenario.ramp,
    cap: same.scenario.demand_cap, horizon: same.settings.horizon_years, rate: same.settings.discount_rate,
    threshold: same.threshold, year: state.horizon ?? same.settings.horizon_years,
  };
  for (const [key, value] of Object.entries(defaults)) if (kept[key] === value) kept[key] = null;
  for (const [name, change] of Object.entries(state.priors)) {
    const { family, parameters } = model.priors[name];
    const location = change.location === FAMILIES[family].location(parameters) ? null : change.location;
    const width = change.width === 1 ? null : change.width;
    if (location !== null || width !== null) kept.priors[name] = { location, width };
  }
  return kept;
}

/** What differs from the study as a fragment of an address; empty if nothing does. */
function formatFragment(model, state) {
  const parts = state.scenario === model.data.default_scenario ? [] : [`scenario=${state.scenario}`];
  for (const key of ["places", "years", "ramp", "horizon", "year", "rate", "threshold"])
    if (state[key] !== null) parts.push(`${key}=${encodeURIComponent(state[key])}`);
  if (state.cap !== null) parts.push(`cap=${state.cap ? "on" : "off"}`);
  for (const [name, { location, width }] of Object.entries(state.priors))
    parts.push(`p.${name}=${encodeURIComponent(location ?? "")},${encodeURIComponent(width ?? "")}`);
  return parts.length ? PREFIX + parts.join("&") : "";
}

/** The state of a fragment, or an Error that says which part is wrong. Nothing of it is ever evaluated. */
function parseFragment(model, fragment) {
  const state = unchanged(model.data.default_scenario);
  const seen = new Set();
  for (const part of fragment.slice(PREFIX.length).split("&")) {
    const [key, ...rest] = part.split("=");
    const text = decoded(rest.join("="), part);
    if (seen.has(key)) throw new Error(`“${shortened(part)}” stands twice`);
    seen.add(key);
    if (key.startsWith("p.")) state.priors[priorName(model, key)] = parsePrior(model, key, text);
    else if (Object.hasOwn(LIMITS, key)) state[key] = parseNumber(text, LIMITS[key], WHOLE.includes(key), part);
    else state[key] = parseWord(model, key, text, part);
  }
  const horizon = state.horizon ?? model.data.settings.horizon_years;
  if (state.year !== null && state.year > horizon) throw new Error(`year ${state.year} is beyond the horizon`);
  return tidied(model, state);
}

function decoded(text, part) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`“${shortened(part)}” is not readable`);
  }
}

function parseNumber(text, [low, high], whole, part) {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high) || (whole && !Number.isInteger(value)))
    throw new Error(`“${shortened(part)}” is no ${whole ? "whole " : ""}number from ${spoken(low)} to ${spoken(high)}`);
  return value;
}

function parseWord(model, key, text, part) {
  const known = {
    scenario: Object.fromEntries(Object.keys(model.scenarios).map((name) => [name, name])),
    ramp: { linear: "linear", logistic: "logistic" },
    cap: { on: true, off: false },
  };
  if (!Object.hasOwn(known, key) || !Object.hasOwn(known[key], text))
    throw new Error(`“${shortened(part)}” is not something this panel knows`);
  return known[key][text];
}

function priorName(model, key) {
  const name = key.slice(2);
  if (!Object.hasOwn(model.priors, name)) throw new Error(`there is no prior “${shortened(name)}” here`);
  return name;
}

function parsePrior(model, key, text) {
  const numbers = text.split(",");
  if (numbers.length !== 2) throw new Error(`“${shortened(key)}” needs a location and a width`);
  const [location, width] = numbers.map((n) =>
    n === "" ? null : parseNumber(n, [-1e15, 1e15], false, `${key}=${text}`));
  const fault = faultOfPrior(model.priors[priorName(model, key)], { location, width });
  if (fault) throw new Error(`“${shortened(`${key}=${text}`)}”: ${fault}`);
  return { location, width };
}

function shortened(text) {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The changes as a file for `bayes run --changes`: the study's own names, numbers in full. */
function formatToml(model, state) {
  const { scenario, settings, parameters } = resolved(model, state);
  const lines = ["# Changes made in the what-if panel of a report; put them in force with",
    "#     bayes run --changes what-if.toml", "# (after the name of the study folder, if it is not the shipped one)"];
  const priors = Object.entries(parameters).map(([name, values]) => {
    const inside = Object.entries(values).map(([key, value]) => `${key}=${value}`).join(", ");
    return `${name} = "${model.priors[name].family}(${inside})"`;
  });
  const numbers = [
    state.horizon === null ? [] : [`horizon_years = ${settings.horizon_years}`],
    state.rate === null ? [] : [`discount_rate = ${settings.discount_rate}`]].flat();
  const programme = [
    state.places === null ? [] : [`places = ${scenario.places}`],
    state.years === null ? [] : [`years_to_full = ${scenario.years_to_full}`],
    state.ramp === null ? [] : [`ramp = "${scenario.ramp}"`],
    state.cap === null ? [] : [`demand_cap = ${scenario.demand_cap}`]].flat();
  for (const [table, rows] of [["priors", priors], ["settings", numbers], [`scenarios.${state.scenario}`, programme]])
    if (rows.length) lines.push("", `[${table}]`, ...rows);
  return `${lines.join("\n")}\n`;
}

/** What was changed, in words; empty if nothing was. */
function changesInWords(model, state) {
  const { scenario, settings, parameters } = resolved(model, state);
  const own = model.scenarios[state.scenario];
  const said = [];
  if (state.places !== null) said.push(`${spoken(scenario.places)} places`);
  if (state.years !== null) said.push(`${spoken(scenario.years_to_full)} years to full scale (not ${spoken(own.years_to_full)})`);
  if (state.ramp !== null) said.push(`a ${scenario.ramp} build-up`);
  if (state.cap !== null) said.push(scenario.demand_cap ? "places limited by demand" : "places not limited by demand");
  if (state.horizon !== null) said.push(`a horizon of ${settings.horizon_years} years`);
  if (state.rate !== null) said.push(`money discounted at ${spoken(100 * settings.discount_rate)} % a year`);
  for (const [name, values] of Object.entries(parameters)) {
    const { family } = model.priors[name];
    const inside = Object.entries(values).map(([key, value]) => `${key} ${spoken(value)}`).join(", ");
    said.push(`the prior of ${name} ${family}(${inside})`);
  }
  return said.join("; ");
}
