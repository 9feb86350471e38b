// The panel: reads the controls, shows the answer, keeps the address, says in words what changed.

const ROWS = {
  offencesYear: (now) => `Offences, year ${now.year}`,
  crimesYear: (now) => `Victim-counted crimes, year ${now.year}`,
  offencesTotal: (now) => `Offences, ${now.settings.horizon_years} years`,
  crimesTotal: (now) => `Victim-counted crimes, ${now.settings.horizon_years} years`,
  netBenefit: (now) => `Net benefit, ${now.settings.horizon_years} years at ${spoken(100 * now.settings.discount_rate)} %`,
};

function startPanel(root, model) {
  const find = (selector) => root.querySelector(selector);
  const panel = { root, model, find, state: unchanged(model.data.default_scenario), later: {}, faults: {} };
  readAddress(panel, true);
  wire(panel);
  paint(panel);
  return panel;
}

/** Does something after a pause, and only once if asked again meanwhile. */
function afterPause(panel, name, milliseconds, act) {
  clearTimeout(panel.later[name]);
  panel.later[name] = setTimeout(act, milliseconds);
}

/** Puts a changed state in force, at once. */
function change(panel, changes) {
  panel.state = tidied(panel.model, { ...panel.state, ...changes });
  paint(panel);
  afterPause(panel, "address", 250, () => writeAddress(panel));
  afterPause(panel, "voice", 700, () => announce(panel));
}

function changePrior(panel, name, part, value) {
  const before = panel.state.priors[name] ?? { location: null, width: null };
  change(panel, { priors: { ...panel.state.priors, [name]: { ...before, [part]: value } } });
}

// --- address ---------------------------------------------------------------------------------

function readAddress(panel, first) {
  if (!location.hash.startsWith(PREFIX)) return;
  try {
    panel.state = parseFragment(panel.model, location.hash);
    notice(panel, "");
  } catch (error) {
    notice(panel, `The address of this page asks for changes that cannot be read, so none was made: ${error.message}.`);
  }
  if (first) panel.root.scrollIntoView();
}

/** Keeps what differs from the study in the fragment; other fragments are left alone while nothing does. */
function writeAddress(panel) {
  const fragment = formatFragment(panel.model, panel.state);
  if (!fragment && !location.hash.startsWith(PREFIX)) return;
  history.replaceState(null, "", fragment || location.pathname + location.search);
}

function linkToState(panel) {
  return location.href.split("#")[0] + formatFragment(panel.model, panel.state);
}

function notice(panel, text) {
  const box = panel.find(".wi-notice");
  box.textContent = text;
  box.hidden = !text;
}

// --- controls --------------------------------------------------------------------------------

function wire(panel) {
  const { root, model } = panel;
  panel.find("#wi-scenario").addEventListener("change", (event) =>
    change(panel, { scenario: event.target.value, places: null, years: null, ramp: null, cap: null }));
  panel.find("#wi-ramp").addEventListener("change", (event) => change(panel, { ramp: event.target.value }));
  panel.find("#wi-cap").addEventListener("change", (event) => change(panel, { cap: event.target.checked }));
  for (const key of Object.keys(FIELDS)) wirePair(panel, `#wi-${key}`, FIELDS[key], (value) => setField(panel, key, value));
  for (const prior of Object.values(model.priors))
    for (const [part, field] of Object.entries(priorFields(prior)))
      if (panel.find(`#wi-${part}-${prior.name}`))
        wirePair(panel, `#wi-${part}-${prior.name}`, field, (value) => setPrior(panel, prior, part, value));
  panel.find(".wi-reset").addEventListener("click", () => {
    for (const selector of Object.keys(panel.faults)) settleEntry(panel, selector, "");
    change(panel, unchanged(model.data.default_scenario));
  });
  panel.find(".wi-link").addEventListener("click", () => copyLink(panel));
  panel.find(".wi-download").addEventListener("click", () => download(panel));
  root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    for (const selector of Object.keys(panel.faults)) settleEntry(panel, selector, "");
    readAddress(panel, false);
    paint(panel);
  });
  new ResizeObserver(() => paintPicture(panel)).observe(panel.find(".wi-picture"));
}

function wirePair(panel, selector, field, set) {
  const slider = panel.find(selector);
  const number = panel.find(`${selector}-n`);
  slider.addEventListener("input", () => {
    const value = (field.kept ?? same)(sliderValue(field, resolved(panel.model, panel.state), Number(slider.value)));
    settleEntry(panel, selector, "");
    set(value);
  });
  number.addEventListener("input", () => {
    const value = number.value === "" ? NaN : (field.kept ?? same)(Number(number.value));
    settleEntry(panel, selector, "");
    const fault = Number.isFinite(value) ? set(value) : number.validity.badInput ? "this is no number" : set(null);
    if (!fault) return;
    settleEntry(panel, selector, `${number.getAttribute("aria-label")}: ${fault}.`);
    paint(panel);
    afterPause(panel, "voice", 700, () => announce(panel));
  });
}

/** Notes or forgets that an entry cannot be put in force. While one cannot, there is no answer to what is on show. */
function settleEntry(panel, selector, fault) {
  if (fault) panel.faults[selector] = fault;
  else delete panel.faults[selector];
  panel.find(`${selector}-n`).setAttribute("aria-invalid", fault ? "true" : "false");
  notice(panel, Object.values(panel.faults).join(" "));
}

/** Why there is no answer while an entry is not in force; empty if all are. */
function entryReason(panel) {
  const faults = Object.values(panel.faults);
  return faults.length ? `${faults.join(" ")} Correct the entry, or empty it for the study's own; until then nothing is computed.` : "";
}

/** Sets a field of the programme or the question; returns why it cannot be, if it cannot. */
function setField(panel, key, value) {
  const [low, high] = key === "year" ? [1, resolved(panel.model, panel.state).settings.horizon_years] : LIMITS[key];
  if (value !== null && !(value >= low && value <= high)) return `from ${spoken(low)} to ${spoken(high)}`;
  if (value !== null && WHOLE.includes(key) && !Number.isInteger(value)) return "a whole number";
  const beyond = key === "horizon" && value !== null && panel.state.year > value;
  change(panel, { [key]: value, ...(beyond ? { year: null } : {}) });
  return "";
}

function setPrior(panel, prior, part, value) {
  const fault = faultOfPrior(prior, { location: null, width: null, [part]: value });
  if (!fault) changePrior(panel, prior.name, part, value);
  return fault;
}

function paintControls(panel, now) {
  const { state, model } = panel;
  panel.find("#wi-scenario").value = state.scenario;
  panel.find("#wi-ramp").value = now.scenario.ramp;
  panel.find("#wi-cap").checked = now.scenario.demand_cap;
  for (const [key, field] of Object.entries(FIELDS))
    showValue(pairOf(panel, `#wi-${key}`), field, now, field.read(now), state[key] !== null);
  panel.find("#wi-places-n").placeholder = now.scenario.coverage_of ? `as ${now.scenario.coverage_of}` : "";
  for (const prior of Object.values(model.priors)) paintPrior(panel, prior, now.parameters[prior.name]);
}

function pairOf(panel, selector) {
  return { slider: panel.find(selector), number: panel.find(`${selector}-n`) };
}

function paintPrior(panel, prior, changed) {
  const chosen = panel.state.priors[prior.name] ?? { location: null, width: null };
  const fields = (prior.fields ??= priorFields(prior));
  for (const [part, field] of Object.entries(fields)) {
    const pair = pairOf(panel, `#wi-${part}-${prior.name}`);
    if (pair.slider) showValue(pair, field, null, chosen[part] ?? field.centre, chosen[part] !== null);
  }
  const family = FAMILIES[prior.family];
  prior.declaredRange ??= family.range(prior.parameters).map(spoken).join(" to ");
  const now = changed ? family.range(changed).map(spoken).join(" to ") : "";
  panel.find(`#wi-range-${prior.name}`).textContent = `90 % from ${now || prior.declaredRange}` +
    (changed ? ` (in the study from ${prior.declaredRange})` : "");
}

// --- answer ----------------------------------------------------------------------------------

function paint(panel) {
  const started = performance.now();
  const found = answer(panel.model, panel.state);
  const base = unmodified(panel.model, panel.state);
  const changed = changesInWords(panel.model, panel.state);
  // the unmodified answer is the run's own, digits and all
  panel.shown = changed || !found.rows ? found : { ...found, rows: base.rows, exceeds: base.exceeds };
  panel.base = base;
  panel.reason = entryReason(panel) || reasonAgainst(panel.model, found);
  paintControls(panel, found.now);
  paintTable(panel);
  paintWeights(panel);
  paintPicture(panel);
  panel.find(".wi-sentence").textContent = sentence(panel, changed);
  paintBar(panel);
  panel.milliseconds = performance.now() - started;
}

function amounts(panel, key, row) {
  if (!row) return { median: "–", range: "", positive: "–" };
  const say = (one) => (key === "netBenefit" ? pounds : String)(compact(one.value, one.mcse, panel.model.data.apart));
  return {
    median: say(row.median),
    range: `${say(row.lower)} to ${say(row.upper)}`,
    positive: probability(row.positive.value, row.positive.mcse),
  };
}

function paintTable(panel) {
  const { shown, base } = panel;
  for (const [key, title] of Object.entries(ROWS)) {
    const row = panel.find(`[data-row="${key}"]`);
    row.querySelector("th").textContent = title(shown.now);
    for (const [side, rows] of [["shown", shown.rows], ["base", base.rows]]) {
      const words = amounts(panel, key, rows?.[key]);
      row.querySelector(`.wi-${side} .wi-number`).textContent = words.median;
      row.querySelector(`.wi-${side} .wi-range`).textContent = words.range;
      row.querySelector(`.wi-${side} .wi-positive`).textContent = `P(> 0) ${words.positive}`;
    }
  }
  const row = panel.find('[data-row="exceeds"]');
  row.querySelector("th").textContent = `P(offences in year ${shown.now.year} > ${spoken(shown.now.threshold)})`;
  for (const [side, one] of [["shown", shown.exceeds], ["base", base.exceeds]])
    row.querySelector(`.wi-${side} .wi-number`).textContent = one ? probability(one.value, one.mcse) : "–";
}

function paintWeights(panel) {
  const { weights, weighed } = panel.shown;
  const all = panel.model.data.chains * panel.model.data.draws_per_chain;
  const khat = Number.isFinite(weights.khat) ? weights.khat.toFixed(2).replace("-", "−") : weights.khat === -Infinity ? "none needed" : "undefined";
  panel.find(".wi-khat").textContent = khat;
  panel.find(".wi-ess").textContent = `${Math.round(weights.ess).toLocaleString("en-GB")} of ${all.toLocaleString("en-GB")}`;
  const titles = weighed.map((name) => panel.model.data.priors.find((prior) => prior.name === name)?.title ?? name);
  panel.find(".wi-method").textContent = titles.length ? `Reweighted: ${titles.join("; ")}.` : "Every draw counts the same.";
  panel.find(".wi-answer").dataset.reliable = panel.reason ? "no" : "yes";
  panel.find(".wi-reason").textContent = panel.reason;
  panel.find(".wi-reason").hidden = !panel.reason;
}

/** The line that stays in view on a narrow screen. */
function paintBar(panel) {
  const words = amounts(panel, "offencesYear", panel.shown.rows?.offencesYear);
  const why = Object.keys(panel.faults).length ? "an entry cannot be used" : `k̂ ${panel.find(".wi-khat").textContent}`;
  panel.find(".wi-bar").textContent = panel.reason ? `No reliable answer: ${why}`
    : `Year ${panel.shown.now.year}: ${words.median} offences avoided (${words.range}), P(> 0) ${words.positive}`;
}

function paintPicture(panel) {
  const { shown, base } = panel;
  if (!shown) return;
  const svg = panel.find(".wi-picture");
  const row = panel.reason ? null : shown.rows.offencesYear;
  drawPicture(svg, row, base.rows.offencesYear, shown.now.threshold, { width: Math.max(svg.clientWidth, 240), height: 176 });
  const [yours, study] = [row, base.rows.offencesYear].map((one) => amounts(panel, "offencesYear", one));
  svg.querySelector("desc").textContent = `Offences avoided in year ${shown.now.year}. What if: ${
    row ? `median ${yours.median}, ${interval(panel)} ${yours.range}` : "no reliable answer"}. Unmodified: median ${study.median}, ${study.range}. Each dot is a chance of 1 in ${DOTS}.`;
}

function interval(panel) {
  return `${spoken(100 * panel.model.data.prob)} % equal-tailed interval`;
}

/** The state and its answer in one sentence: printed, read aloud, copied. */
function sentence(panel, changed) {
  const { shown, state, model } = panel;
  const words = amounts(panel, "offencesYear", shown.rows?.offencesYear);
  const label = model.scenarios[state.scenario].label;
  const start = changed ? `What if, in the scenario “${label}”, with ${changed}:` : `Scenario “${label}”, nothing changed:`;
  if (panel.reason) return `${start} no reliable answer. ${panel.reason}`;
  const exceeds = probability(shown.exceeds.value, shown.exceeds.mcse);
  return `${start} ${words.median} offences avoided in year ${shown.now.year} (median; ${interval(panel)} ${words.range}), ` +
    `P(> 0) ${words.positive}, P(> ${spoken(shown.now.threshold)}) ${exceeds}.`;
}

function announce(panel) {
  panel.find(".wi-voice").textContent = panel.find(".wi-sentence").textContent;
}

// --- buttons ---------------------------------------------------------------------------------

async function copyLink(panel) {
  writeAddress(panel);
  const link = linkToState(panel);
  const field = panel.find(".wi-address");
  try {
    await navigator.clipboard.writeText(link);
    panel.find(".wi-voice").textContent = "The link to this state is copied.";
    panel.find(".wi-link").dataset.done = "yes";
    setTimeout(() => delete panel.find(".wi-link").dataset.done, 2000);
  } catch {
    field.hidden = false;
    field.value = link;
    field.focus();
    field.select();
    panel.find(".wi-voice").textContent = "Copying is not allowed here; the link stands in the field.";
  }
}

function download(panel) {
  const url = URL.createObjectURL(new Blob([formatToml(panel.model, panel.state)], { type: "application/toml" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "what-if.toml";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const opened = openModel(JSON.parse(document.getElementById("what-if-data").textContent));
const started = startPanel(document.getElementById("what-if"), opened);
window.whatIf = Object.freeze({
  model: opened, panel: started, change: (changes) => change(started, changes),
  answer, unmodified, weightedDraws, resolved, unchanged, parseFragment, formatFragment, formatToml, reasonAgainst,
  smoothedWeights, equalWeights, reliable, levelKnown, quantileFunction, quantileWithError, errorOfMean, project, redraw, mapDraws, addLogRatio, FAMILIES, compact,
  gammaTails, gammaInverse, betaTails, logGamma, chebyshevCoefficients,
});
