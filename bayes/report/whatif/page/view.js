// The panel: reads the controls, shows the answer, keeps the address, says in words what changed.

function startPanel(root, model) {
  const find = (selector) => root.querySelector(selector);
  const panel = { root, model, find, state: unchanged(model.data.default_scenario), later: {}, faults: {}, fields: {} };
  panel.questions = questionFields(model);
  for (const control of model.data.controls) panel.fields[control.name] = dataField(model, control);
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
  panel.find("#wi-scenario")?.addEventListener("change", (event) => change(panel, { scenario: event.target.value, data: {} }));
  for (const [key, field] of Object.entries(panel.questions))
    if (panel.find(`#wi-${key}`)) wirePair(panel, `#wi-${key}`, field, (value) => setField(panel, key, value));
  for (const control of model.data.controls) {
    const set = (value) => setNumber(panel, control, value);
    if (control.kind === "switch") panel.find(`#wi-${control.id}`).addEventListener("change", (event) => set(Number(event.target.checked)));
    else wirePair(panel, `#wi-${control.id}`, panel.fields[control.name], set);
  }
  for (const prior of Object.values(model.priors))
    for (const [part, field] of Object.entries(priorFields(prior)))
      if (panel.find(`#wi-${part}-${prior.id}`))
        wirePair(panel, `#wi-${part}-${prior.id}`, field, (value) => setPrior(panel, prior, part, value));
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
  new ResizeObserver(() => { paintPicture(panel); paintScheme(panel); }).observe(panel.find(".wi-picture"));
}

function wirePair(panel, selector, field, set) {
  const slider = panel.find(selector);
  const number = panel.find(`${selector}-n`);
  slider.addEventListener("input", () => {
    const value = sliderValue(field, resolved(panel.model, panel.state), Number(slider.value));
    settleEntry(panel, selector, "");
    set(value);
  });
  number.addEventListener("input", () => {
    const value = number.value === "" ? NaN : Number(number.value);
    settleEntry(panel, selector, "");
    const fault = Number.isFinite(value) ? set(value) : number.validity.badInput ? "this is no number" : set(null);
    if (!fault) return;
    settleEntry(panel, selector, fault);
    paint(panel);
    afterPause(panel, "voice", 700, () => announce(panel));
  });
}

/** Notes or forgets that an entry cannot be put in force. While one cannot, there is no answer to what is on show. */
function settleEntry(panel, selector, fault) {
  delete panel.faults[selector];
  const [number, beside] = [panel.find(`${selector}-n`), panel.find(`${selector}-fault`)];
  number.setAttribute("aria-invalid", fault ? "true" : "false");
  beside.textContent = fault && `${fault.charAt(0).toUpperCase()}${fault.slice(1)}.`;
  beside.hidden = !fault;
  if (fault) panel.faults[selector] = `${number.getAttribute("aria-label")}: ${fault}.`;
  notice(panel, Object.values(panel.faults).join(" "));
}

/** Why there is no answer while an entry is not in force; empty if all are. */
function entryReason(panel) {
  const faults = Object.values(panel.faults);
  return faults.length ? `${faults.join(" ")} Correct the entry, or empty it for the study's own; until then nothing is computed.` : "";
}

/** Sets what is asked; returns why it cannot be, if it cannot. */
function setField(panel, key, value) {
  const { years } = panel.model.data;
  if (key === "year" && value !== null && !years.includes(value))
    return `allowed is one of ${years.length > 12 ? `${years[0]}, ${years[1]}, … ${years.at(-1)}` : years.join(", ")}`;
  if (key === "threshold" && Math.abs(value) > FARTHEST) return `allowed is a number from ${spoken(-FARTHEST)} to ${spoken(FARTHEST)}`;
  change(panel, { [key]: value });
  return "";
}

/** Sets a number of the data, or with null gives it back; returns why it cannot be, if it cannot. */
function setNumber(panel, control, value) {
  const fault = value === null ? "" : faultOfNumber(panel.model, control, panel.state.scenario, value);
  const { [control.name]: _, ...others } = panel.state.data;
  if (!fault) change(panel, { data: value === null ? others : { ...others, [control.name]: value } });
  return fault;
}

function setPrior(panel, prior, part, value) {
  const fault = faultOfPrior(prior, { location: null, width: null, [part]: value });
  if (!fault) changePrior(panel, prior.name, part, value);
  return fault;
}

function paintControls(panel, now) {
  const { state, model } = panel;
  if (panel.find("#wi-scenario")) panel.find("#wi-scenario").value = state.scenario;
  for (const [key, field] of Object.entries(panel.questions))
    if (panel.find(`#wi-${key}`)) showValue(pairOf(panel, `#wi-${key}`), field, now, field.read(now), state[key] !== null);
  for (const control of model.data.controls) {
    const changed = Object.hasOwn(state.data, control.name);
    if (control.kind === "switch") {
      const box = panel.find(`#wi-${control.id}`);
      box.checked = Boolean(now.data[control.name]);
      box.closest(".wi-control").dataset.changed = changed ? "yes" : "no";
    } else showValue(pairOf(panel, `#wi-${control.id}`), panel.fields[control.name], now, now.data[control.name], changed);
  }
  for (const prior of Object.values(model.priors)) paintPrior(panel, prior, now.parameters[prior.name]);
}

function pairOf(panel, selector) {
  return { slider: panel.find(selector), number: panel.find(`${selector}-n`) };
}

function paintPrior(panel, prior, changed) {
  const chosen = panel.state.priors[prior.name] ?? { location: null, width: null };
  const fields = (prior.fields ??= priorFields(prior));
  for (const [part, field] of Object.entries(fields)) {
    const pair = pairOf(panel, `#wi-${part}-${prior.id}`);
    if (pair.slider) showValue(pair, field, null, chosen[part] ?? field.centre, chosen[part] !== null);
  }
  const family = FAMILIES[prior.family];
  if (!family.range) {
    panel.find(`#wi-range-${prior.id}`).textContent = cutOffInWords(prior.parameters);
    return;
  }
  const said = (range) => range.map(spoken).join(" to ") +
    (natural(0, prior.unit) ? `, which is ${range.map((x) => natural(x, prior.unit)).join(" to ")}` : "");
  prior.declaredRange ??= said(family.range(prior.parameters));
  const now = changed ? said(family.range(changed)) : "";
  panel.find(`#wi-range-${prior.id}`).textContent = `90 % from ${now || prior.declaredRange}` +
    (changed ? ` (in the study from ${prior.declaredRange})` : "");
}

/** Where a prior is cut off, which no slider moves. */
function cutOffInWords({ lower, upper }) {
  const said = [[lower, "below"], [upper, "above"]].filter(([end]) => end !== undefined).map(([end, side]) => `${side} ${spoken(end)}`);
  return `Cut off ${said.join(" and ")}`;
}

// --- answer ----------------------------------------------------------------------------------

function paint(panel) {
  const started = performance.now();
  const found = answered(panel);
  const base = unmodified(panel.model, panel.state);
  const changed = changesInWords(panel.model, panel.state);
  // the unmodified answer is the run's own, digits and all
  panel.shown = changed || !found.rows ? found : { ...found, rows: base.rows, exceeds: base.exceeds };
  panel.base = base;
  panel.reason = entryReason(panel) || found.refused || reasonAgainst(panel.model, found);
  paintControls(panel, found.now);
  paintTable(panel);
  paintWeights(panel);
  paintPicture(panel);
  paintScheme(panel);
  panel.find(".wi-sentence").textContent = sentence(panel, changed);
  paintBar(panel);
  panel.milliseconds = performance.now() - started;
}

/** The answer; where the calculation itself refuses what is asked, its reason and no numbers. */
function answered(panel) {
  try {
    return answer(panel.model, panel.state);
  } catch (error) {
    const weights = { values: null, khat: NaN, ess: 0 };
    return { now: resolved(panel.model, panel.state), weighed: [], weights, rows: null, exceeds: null, loose: [], scheme: null,
      refused: `The calculation refuses this: ${error.message}.` };
  }
}

function amounts(panel, row) {
  if (!row) return { median: "–", range: "", positive: "–" };
  const say = (one) => compact(one.value, one.mcse, panel.model.data.apart);
  return {
    median: say(row.median),
    range: `${say(row.lower)} to ${say(row.upper)}`,
    positive: chance(row.positive.value, panel.model.data.least_chance),
  };
}

function paintTable(panel) {
  const { shown, base, model } = panel;
  model.data.rows.forEach((one, i) => {
    const row = panel.find(`[data-row="${i}"]`);
    row.querySelector(".wi-title").textContent = one.title + whenOf(model, one, shown.now);
    for (const [side, rows] of [["shown", shown.rows], ["base", base.rows]]) {
      const words = amounts(panel, rows?.[one.key]);
      row.querySelector(`.wi-${side} .wi-number`).textContent = words.median;
      row.querySelector(`.wi-${side} .wi-range`).textContent = words.range;
      row.querySelector(`.wi-${side} .wi-positive`).textContent = `probability above zero ${words.positive}`;
    }
  });
  const row = panel.find('[data-row="exceeds"]');
  const first = model.data.rows[0];
  row.querySelector("th").textContent = `Probability of ${first.words}${whenOf(model, first, shown.now)} above ${spoken(shown.now.threshold)}`;
  for (const [side, one] of [["shown", shown.exceeds], ["base", base.exceeds]])
    row.querySelector(`.wi-${side} .wi-number`).textContent = one ? chance(one.value, model.data.least_chance) : "–";
}

/** The first row: the answer, its summaries, and when it is read. */
function firstRow(panel) {
  const { model, shown, base } = panel;
  const row = model.data.rows[0];
  return { row, when: whenOf(model, row, shown.now), shown: shown.rows?.[row.key] ?? null, base: base.rows[row.key] };
}

function paintWeights(panel) {
  const { weights, weighed } = panel.shown;
  const all = panel.model.data.chains * panel.model.data.draws_per_chain;
  const khat = Number.isFinite(weights.khat) ? weights.khat.toFixed(2).replace("-", "−") : weights.khat === -Infinity ? "none needed" : "undefined";
  panel.find(".wi-khat").textContent = khat;
  panel.find(".wi-ess").textContent = `${Math.round(weights.ess).toLocaleString("en-GB")} of ${all.toLocaleString("en-GB")}`;
  const titles = weighed.map((name) => panel.model.priors[name].title);
  panel.find(".wi-method").textContent = titles.length ? `Reweighted: ${titles.join("; ")}.` : "Every draw counts the same.";
  panel.find(".wi-answer").dataset.reliable = panel.reason ? "no" : "yes";
  panel.find(".wi-reason").textContent = panel.reason;
  panel.find(".wi-reason").hidden = !panel.reason;
}

/** The line that stays in view on a narrow screen. */
function paintBar(panel) {
  const { row, when, shown } = firstRow(panel);
  const words = amounts(panel, shown);
  const why = Object.keys(panel.faults).length ? "an entry cannot be used" : `k̂ ${panel.find(".wi-khat").textContent}`;
  panel.find(".wi-bar").textContent = panel.reason ? `No reliable answer: ${why}`
    : `${row.title}${when}: ${words.median} (${words.range}), probability above zero ${words.positive}`;
}

function paintPicture(panel) {
  if (!panel.shown) return;
  const svg = panel.find(".wi-picture");
  const { row, when, shown, base } = firstRow(panel);
  if (!base) return;
  const drawn = panel.reason ? null : shown;
  drawPicture(svg, drawn, base, panel.shown.now.threshold, { width: Math.max(svg.clientWidth, 240), height: 176 });
  const [yours, study] = [drawn, base].map((one) => amounts(panel, one));
  svg.querySelector("desc").textContent = `${row.title}${when}. What if: ${
    drawn ? `median ${yours.median}, ${interval(panel)} ${yours.range}` : "no reliable answer"}. Unmodified: median ${study.median}, ${study.range}. Each dot is a chance of 1 in ${DOTS}.`;
}

/** How large the scenario is, time after time: in words too. */
function paintScheme(panel) {
  const { time, scheme, years } = panel.model.data;
  if (!scheme || !panel.shown) return;
  const svg = panel.find(".wi-scheme");
  const [yours, study] = [panel.reason ? null : panel.shown.scheme, panel.base.scheme];
  drawScheme(svg, yours, study, { ends: [years[0], years.at(-1)].map((year) => `${time} ${year}`), width: Math.max(svg.clientWidth, 200), height: 88 });
  const said = (course) => years.map((year, i) => `${compact(course[i])} in ${time} ${year}`).join(", ");
  svg.querySelector("desc").textContent = `What if: ${yours ? said(yours) : "no reliable answer"}. Unmodified: ${said(study)}.`;
}

function interval(panel) {
  return `${spoken(100 * panel.model.data.prob)} % equal-tailed interval`;
}

/** The state and its answer in one sentence: printed, read aloud, copied. */
function sentence(panel, changed) {
  const { state, model } = panel;
  const { row, when, shown } = firstRow(panel);
  const words = amounts(panel, shown);
  const one = model.data.scenarios.length === 1;
  const where = one ? "" : `${model.data.scenario_word} “${model.scenarios[state.scenario].label}”, `;
  const start = changed ? `What if, ${where ? `in the ${where}` : ""}with ${changed}:` : `${where.charAt(0).toUpperCase()}${where.slice(1)}nothing changed:`;
  if (panel.reason) return `${start} no reliable answer. ${panel.reason}`;
  const exceeds = chance(panel.shown.exceeds.value, model.data.least_chance);
  return `${start} ${row.words}${when}: ${words.median}${row.unit ? ` ${row.unit}` : ""} (median; ${interval(panel)} ${words.range}), ` +
    `probability above zero ${words.positive}, above ${spoken(panel.shown.now.threshold)} ${exceeds}.`;
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
  smoothedWeights, equalWeights, reliable, levelKnown, quantileFunction, quantileWithError, errorOfMean, mapDraws, addLogRatio,
  FAMILIES, chance, compact, gammaTails, gammaInverse, betaTails, logGamma,
});
