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

/** A slider between two ends: evenly in the logarithm where they are far apart or half and double, else evenly. */
function rangeScale([low, high], value, whole) {
  const scale = low > 0 && high >= 4 * low * (1 - 1e-9) ? logScale(low, high) : evenScale(low, high, (high - low) / 200);
  return whole ? { ...scale, value: (at) => clamp(Math.round(scale.value(at)), low, high) } : scale;
}

/** The controls of the question: how each is read from what is in force, shown and set. */
function questionFields(model) {
  const { years, time, threshold } = model.data;
  const ends = threshold > 0 ? [threshold / 100, threshold * 100] : threshold < 0 ? [10 * threshold, -10 * threshold] : [-1, 1];
  return {
    year: { scale: () => ({ value: (at) => years[Math.round(evenScale(0, years.length - 1, 1).value(at))],
      position: (x) => evenScale(0, years.length - 1, 1).position(years.indexOf(x)) }), read: (now) => now.year,
    say: (x) => `${time} ${x}`, exact: true },
    threshold: { scale: () => rangeScale(ends), read: (now) => now.threshold, say: (x) => `${spoken(x)} ${model.data.rows[0].unit}` },
  };
}

/** A control of data, in the same form; its slider depends on the scenario. */
function dataField(model, control) {
  return {
    scale: (now) => rangeScale(ownRange(model, control, now.scenario) ?? [0, 0], 0, control.kind === "whole"),
    read: (now) => now.data[control.name], say: (x) => numberInWords(control, x),
    own: (now) => ownNumber(model, control, now.scenario), ends: (now) => ownRange(model, control, now.scenario),
  };
}

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
  const position = field.scale(now).position(value);
  slider.value = Number.isFinite(position) ? Math.round(clamp(position, -ENDS, ENDS)) : 0;
  slider.disabled = number.disabled = Boolean(field.ends) && field.ends(now) === null;
  slider.setAttribute("aria-valuetext", field.say(value));
  if (number.getAttribute("aria-invalid") !== "true" && (document.activeElement !== number || Number(number.value) !== value))
    number.value = changed || field.exact ? value : Math.abs(value) < NOTHING ? 0 : Number(value.toPrecision(4));
  slider.closest(".wi-control").dataset.changed = changed ? "yes" : "no";
}

/** The value of a slider position: the study's own in the middle of a prior's slider and where the slider opened, three digits elsewhere. */
function sliderValue(field, now, at) {
  if (field.centre !== undefined && at === 0) return field.centre;
  if (field.exact) return field.scale(now).value(at);
  const own = field.own?.(now);
  if (own !== undefined && Math.round(field.scale(now).position(own)) === at) return own;
  const [low, high] = field.ends?.(now) ?? [-Infinity, field.most ?? Infinity];
  return clamp(threeDigits(field.scale(now).value(at)), low, high);
}
