// Numbers as people read them, with no more digits than their Monte Carlo error supports.

/** Power of ten of the last digit an error supports: the least that is not below 0.3 errors. */
function lastDigit(mcse) {
  return Math.ceil(Math.log10(mcse) + Math.log10(0.3) - 1e-9);
}

/** Rounds to the digit an error supports; an error of zero rounds nothing. */
function roundedTo(value, mcse) {
  if (mcse === Infinity) return NaN;
  if (!Number.isFinite(value) || !(mcse > 0)) return value;
  return decimal(value, -lastDigit(mcse));
}

function decimal(value, places) {
  return places >= 0 ? Number(value.toFixed(Math.min(places, 100))) : Math.round(value * 10 ** places) * 10 ** -places;
}

/** Rounds to three significant digits, a tie to the even digit as Python does. */
function significant(value) {
  const away = Number(value.toPrecision(3));
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  const toward = Number((away - Math.sign(value) * unit).toPrecision(3));
  const tie = Math.abs(away - value) === Math.abs(value - toward);
  return tie && Math.round(Math.abs(away) / unit) % 2 === 1 ? toward : away;
}

/** As bayes.numbers.compact: 490k, 2.4M, – for what is undefined; `apart` says what is marked as not told apart from 0. */
function compact(value, mcse = 0, apart = null) {
  if (Math.abs(value) === Infinity) return value > 0 ? "∞" : "−∞";
  let shown = roundedTo(value, mcse);
  if (Number.isNaN(shown)) return "–";
  const mark = apart && value !== 0 && Math.abs(value) < apart.errors * mcse ? apart.mark : "";
  if (shown === 0) return `0${mark}`;
  shown = significant(shown);
  const last = Math.max(mcse > 0 ? lastDigit(mcse) : -Infinity, Math.floor(Math.log10(Math.abs(shown))) - 2);
  const [power, unit] = [[9, "bn"], [6, "M"], [3, "k"]].find(([p]) => Math.abs(shown) >= 10 ** p) ?? [0, ""];
  const digits = Math.max(0, power - last);
  let text = (shown / 10 ** power).toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (text.includes(".") && !(mcse > 0)) text = text.replace(/\.?0+$/, "");
  return text.replace("-", "−") + unit + mark;
}

/** As bayes.numbers.chance: two digits, and never certain; `least` is the rule that the page carries. */
function chance(p, least) {
  if (Number.isNaN(p)) return "–";
  if (p > 1 - least) return `> ${1 - least}`;
  const even = p === 0.125 || p === 0.625 ? p - 0.005 : p; // a tie goes to the even digit, as in Python
  return p < least ? `< ${least}` : even.toFixed(2);
}

/** As bayes.numbers.natural: a logarithm of a ratio as a factor, log odds as per cent; nothing where a unit is read as it is. */
function natural(value, unit) {
  if (!Number.isFinite(value)) return "";
  const two = (x) => compact(Number(x.toPrecision(2)));
  const factor = Math.exp(value);
  if (unit === "log ratio") return `× ${factor >= 0.1 && factor < 10 ? factor.toFixed(2) : two(factor)}`;
  return unit === "logit" ? `${two(100 / (1 + Math.exp(-value)))}\u202f%` : "";
}

const NOTHING = 1e-12; // a median fitted to quantiles -1, 0 and 1 is zero but for rounding

/** A declared or chosen number in three digits: exact numbers are in the address and in the file. */
function spoken(value) {
  if (!Number.isFinite(value)) return value > 0 ? "infinity" : "minus infinity";
  if (Math.abs(value) < NOTHING) return "0";
  const size = Math.abs(value);
  const text = size >= 100000 || (size >= 1000 && Number.isInteger(value)) || (size < 1000 && size >= 0.001) || size === 0
    ? Number(value.toPrecision(size >= 1000 ? 6 : 3)).toLocaleString("en-GB", { maximumSignificantDigits: 6 })
    : size >= 1000 ? Math.round(value).toLocaleString("en-GB") : value.toExponential(2);
  return text.replace("-", "−");
}
