// What the reader has changed: plain data, to and from the fragment of the address, to TOML, to a sentence.
// null stands for "as in the study".

const PREFIX = "#what-if?";
const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const WIDTHS = [0.05, 20];
const FARTHEST = 1e15;

function unchanged(scenario) {
  return { scenario, year: null, threshold: null, data: {}, priors: {} };
}

/** What a state puts in force: a time and its place among all, data of the scenario by name, priors' parameters. */
function resolved(model, state) {
  const { years } = model.data;
  const year = state.year ?? years.at(-1);
  return {
    scenario: state.scenario,
    year,
    place: years.indexOf(year),
    threshold: state.threshold ?? model.data.threshold,
    data: Object.fromEntries(model.data.controls.map((c) => [c.name, state.data[c.name] ?? ownNumber(model, c, state.scenario)])),
    parameters: Object.fromEntries(
      Object.entries(state.priors).map(([name, change]) => [name, changedParameters(model.priors[name], change)])),
  };
}

/** The number that a scenario has for a control, and the ends of its slider. */
const ownNumber = (model, control, scenario) => control.values[model.numbers[scenario]];
const ownRange = (model, control, scenario) => control.ranges[model.numbers[scenario]];

/** Why data cannot have this number; empty if they can. */
function faultOfNumber(model, control, scenario, value) {
  const range = control.kind === "switch" ? [0, 1] : ownRange(model, control, scenario);
  if (range === null) return "it cannot be changed in this scenario";
  if (!(value >= range[0] && value <= range[1])) return `allowed is a number from ${spoken(range[0])} to ${spoken(range[1])}`;
  return control.kind !== "number" && !Number.isInteger(value) ? "allowed is a whole number" : "";
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

/** The same state without what is as in the study. */
function tidied(model, state) {
  const kept = { ...state, data: {}, priors: {} };
  if (kept.year === model.data.years.at(-1)) kept.year = null;
  if (kept.threshold === model.data.threshold) kept.threshold = null;
  for (const [name, value] of Object.entries(state.data))
    if (value !== ownNumber(model, model.controls[name], state.scenario)) kept.data[name] = value;
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
  const said = encodeURIComponent;
  const parts = state.scenario === model.data.default_scenario ? [] : [`scenario=${said(state.scenario)}`];
  for (const key of ["year", "threshold"]) if (state[key] !== null) parts.push(`${key}=${said(state[key])}`);
  for (const [name, value] of Object.entries(state.data)) parts.push(`d.${said(name)}=${said(value)}`);
  for (const [name, { location, width }] of Object.entries(state.priors))
    parts.push(`p.${said(name)}=${said(location ?? "")},${said(width ?? "")}`);
  return parts.length ? PREFIX + parts.join("&") : "";
}

/** The state of a fragment, or an Error that says which part is wrong. Nothing of it is ever evaluated. */
function parseFragment(model, fragment) {
  const state = unchanged(model.data.default_scenario);
  const parts = fragment.slice(PREFIX.length).split("&").map((part) => {
    const [key, ...rest] = part.split("=");
    return { part, key: decoded(key, part), text: decoded(rest.join("="), part) };
  });
  const twice = parts.find(({ key }, i) => parts.findIndex((other) => other.key === key) < i);
  if (twice) throw new Error(`“${shortened(twice.part)}” stands twice`);
  const first = parts.find(({ key }) => key === "scenario");
  if (first && !Object.hasOwn(model.scenarios, first.text)) throw new Error(`“${shortened(first.part)}” is not something this panel knows`);
  if (first) state.scenario = first.text;
  for (const { part, key, text } of parts) {
    if (key.startsWith("p.")) state.priors[knownName(model.priors, key, "prior")] = parsePrior(model, key, text);
    else if (key.startsWith("d.")) state.data[knownName(model.controls, key, "number")] = parseData(model, state, key, text);
    else if (key === "threshold") state.threshold = parseNumber(text, [-FARTHEST, FARTHEST], part);
    else if (key === "year" && model.data.years.includes(parseNumber(text, [-FARTHEST, FARTHEST], part))) state.year = Number(text);
    else if (key !== "scenario") throw new Error(`“${shortened(part)}” is not something this panel knows`);
  }
  return tidied(model, state);
}

function decoded(text, part) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`“${shortened(part)}” is not readable`);
  }
}

function parseNumber(text, [low, high], part) {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high)) throw new Error(`“${shortened(part)}” is no number from ${spoken(low)} to ${spoken(high)}`);
  return value;
}

function knownName(table, key, what) {
  const name = key.slice(2);
  if (!Object.hasOwn(table, name)) throw new Error(`there is no ${what} “${shortened(name)}” here`);
  return name;
}

function parseData(model, state, key, text) {
  const value = parseNumber(text, [-FARTHEST, FARTHEST], `${key}=${text}`);
  const fault = faultOfNumber(model, model.controls[key.slice(2)], state.scenario, value);
  if (fault) throw new Error(`“${shortened(`${key}=${text}`)}”: ${fault}`);
  return value;
}

function parsePrior(model, key, text) {
  const numbers = text.split(",");
  if (numbers.length !== 2) throw new Error(`“${shortened(key)}” needs a location and a width`);
  const [location, width] = numbers.map((n) =>
    n === "" ? null : parseNumber(n, [-FARTHEST, FARTHEST], `${key}=${text}`));
  const fault = faultOfPrior(model.priors[knownName(model.priors, key, "prior")], { location, width });
  if (fault) throw new Error(`“${shortened(`${key}=${text}`)}”: ${fault}`);
  return { location, width };
}

function shortened(text) {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The changes as a file: names as in the study or the model, numbers in full. */
function formatToml(model, state) {
  const { parameters } = resolved(model, state);
  const lines = ["# Changes made in the what-if panel of a report; put them in force with", `#     ${model.data.command}`];
  const tables = { priors: [] };
  const elsewhere = [];
  for (const [name, values] of Object.entries(parameters)) {
    const inside = Object.entries(values).map(([key, value]) => `${key}=${value}`).join(", ");
    const { family, declared } = model.priors[name];
    (declared ? tables.priors : elsewhere).push(`${named(name)} = "${family}(${inside})"`);
  }
  if (elsewhere.length) lines.push("# and change these priors where the model states them:", ...elsewhere.map((line) => `#     ${line}`));
  for (const [name, value] of Object.entries(state.data)) {
    const { of, table, path, kind } = model.controls[name];
    const labels = { settings: ["settings", of], scenarios: ["scenarios", state.scenario, of], data: ["data", of, ...path.map((label) => label ?? state.scenario)] };
    const keys = labels[table].map(named);
    const text = kind === "switch" && table !== "data" ? String(Boolean(value)) : String(value);
    (tables[keys.slice(0, -1).join(".")] ??= []).push(`${keys.at(-1)} = ${text}`);
  }
  const order = Object.entries(tables).sort(([one], [other]) => one.startsWith("data.") - other.startsWith("data."));
  for (const [table, rows] of order) if (rows.length) lines.push("", `[${table}]`, ...rows);
  return `${lines.join("\n")}\n`;
}

/** A key of a TOML file, in quotes where it needs them. */
function named(key) {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** A number of the data in words. */
function numberInWords(control, value) {
  return control.kind === "switch" ? (value ? "yes" : "no") : `${spoken(value)}${control.unit ? ` ${control.unit}` : ""}`;
}

/** What was changed, in words; empty if nothing was. */
function changesInWords(model, state) {
  const said = Object.entries(state.data).map(([name, value]) => {
    const control = model.controls[name];
    return `${control.words} ${numberInWords(control, value)} (not ${numberInWords(control, ownNumber(model, control, state.scenario))})`;
  });
  for (const [name, values] of Object.entries(resolved(model, state).parameters)) {
    const { family, title } = model.priors[name];
    const inside = Object.entries(values).map(([key, value]) => `${key} ${spoken(value)}`).join(", ");
    said.push(`the prior of “${title}” ${family}(${inside})`);
  }
  return said.join("; ");
}

/** When a row is read: ", year 10", ", years 1 to 10", ", 3 years of 2010 to 2020" where some lie between, or nothing. */
function whenOf(model, row, now) {
  const { time, years } = model.data;
  if (!time || !row.timed) return "";
  if (!row.total || now.place === 0) return `, ${time} ${now.year}`;
  const every = now.year - years[0] === now.place;
  return `, ${every ? `${time}s ` : `${now.place + 1} ${time}s of `}${years[0]} to ${now.year}`;
}
