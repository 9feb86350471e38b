// Sliders and number fields: each control knows its place in the state and how its slider runs.

const ENDS = 100; // a slider runs from -100 to 100

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const threeDigits = (x) => Number(x.toPrecision(3));

/** Slider positions to values and back, value `centre` in the middle. */
const SCALES = {
  line: ({ half }, centre) => ({
    value: (at) => centre + (half * at) / ENDS,
    position: (x) => ((x - centre) / half) * ENDS,
  }),
  log: ({ shift, scale, span }, centre) => ({
    value: (at) => shift + (centre - shift) * Math.exp((span * scale * at) / ENDS),
    position: (x) => (Math.log((x - shift) / (centre - shift)) / (span * scale)) * ENDS,
  }),
  odds: ({ span }, centre) => {
    const odds = (x) => Math.log(x / (1 - x));
    return {
      value: (at) => 1 / (1 + Math.exp(-odds(centre) - (span * at) / ENDS)),
      position: (x) => ((odds(x) - odds(centre)) / span) * ENDS,
    };
  },
};

/** A slider that runs evenly in the logarithm between two values. */
function logScale(low, high) {
  const step = Math.log(high / low) / 2 / ENDS;
  return {
    value: (at) => low * Math.exp(step * (at + ENDS)),
    position: (x) => Math.log(x / low) / step - ENDS,
  };
}

/** A slider that runs evenly between two values, in steps. */
function evenScale(low, high, step) {
  return {
    value: (at) => low + Math.round(((high - low) * (at + ENDS)) / 2 / ENDS / step) * step,
    position: (x) => ((x - low) / Math.max(high - low, step)) * 2 * ENDS - ENDS,
  };
}

/** The controls of programme and question: how each is read from what is in force, shown and set. */
const FIELDS = {
  places: { scale: () => logScale(100, 400000), read: (now) => now.scenario.places, say: (x) => `${spoken(x)} places` },
  years: { scale: () => evenScale(0, 20, 0.5), read: (now) => now.scenario.years_to_full, say: (x) => `${spoken(x)} years` },
  year: { scale: (now) => evenScale(1, now.settings.horizon_years, 1), read: (now) => now.year, say: (x) => `year ${x}` },
  horizon: { scale: () => evenScale(1, 30, 1), read: (now) => now.settings.horizon_years, say: (x) => `${x} years` },
  rate: { scale: () => evenScale(0, 10, 0.1), read: (now) => now.settings.discount_rate, say: (x) => `${spoken(100 * x)} % a year`,
    shown: (x) => Number((100 * x).toPrecision(12)), kept: (x) => Number((x / 100).toPrecision(12)) },
  threshold: { scale: () => logScale(1e3, 1e8), read: (now) => now.threshold, say: (x) => `${spoken(x)} offences` },
};

/** The two controls of a prior, in the same form. */
function priorFields(prior) {
  const family = FAMILIES[prior.family];
  const centre = family.location(prior.parameters);
  const steps = family.steps(prior.parameters);
  const [place, factor] = [SCALES[steps.slider](steps, centre), SCALES.log({ shift: 0, scale: 1, span: Math.log(4) }, 1)];
  const widest = Math.min(4, family.widest?.(prior.parameters) ?? 4);
  return {
    location: { scale: () => place, centre, say: (x) => `${family.word} ${spoken(x)}` },
    width: { scale: () => factor, centre: 1, most: widest, say: (x) => `${spoken(x)} times the width of the study` },
  };
}

/** Makes a slider and its number field show a value; a field that is being typed in, or whose entry cannot be used, is left alone. */
function showValue(pair, field, now, value, changed) {
  const { slider, number } = pair;
  const shown = value === null ? "" : (field.shown ?? same)(value);
  slider.value = value === null ? 0 : Math.round(clamp(field.scale(now).position(shown), -ENDS, ENDS));
  slider.setAttribute("aria-valuetext", value === null ? "as in the scenario" : field.say(value));
  if (number.getAttribute("aria-invalid") !== "true" && (document.activeElement !== number || Number(number.value) !== shown))
    number.value = changed || value === null ? shown : Math.abs(shown) < NOTHING ? 0 : Number(shown.toPrecision(4));
  slider.closest(".wi-control").dataset.changed = changed ? "yes" : "no";
}

/** The value of a slider position: the study's own in the middle of a prior's slider, three digits elsewhere. */
function sliderValue(field, now, at) {
  if (field.centre !== undefined && at === 0) return field.centre;
  return clamp(threeDigits(field.scale(now).value(at)), -Infinity, field.most ?? Infinity);
}
