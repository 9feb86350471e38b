// Plays a tape: a calculation as plain data, written by Python, cell by cell. Nothing of it is code.
//
// A value is { data, shape, strides }: numbers of any type as 64-bit floats (a truth is 0 or 1), seen through strides,
// of which 0 repeats an axis. A cell is [what it does, settings, positions of the cells it is made from, constant].

const size = (shape) => shape.reduce((product, n) => product * n, 1);

function packed(shape) {
  const strides = new Array(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    strides[axis] = shape[axis] === 1 ? 0 : step;
    step *= shape[axis];
  }
  return strides;
}

const valueOf = (data, shape) => ({ data, shape, strides: packed(shape), offset: 0 });
const scalar = (x) => valueOf(Float64Array.of(x), []);

/** The shape that all shapes stretch to. */
function commonShape(shapes) {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let length = 1;
    for (const shape of shapes) {
      const n = shape[axis - rank + shape.length] ?? 1;
      if (n !== 1 && length !== 1 && n !== length) throw new Error("shapes do not fit together");
      if (n !== 1) length = n;
    }
    return length;
  });
}

function stretched(value, shape) {
  const missing = shape.length - value.shape.length;
  const strides = shape.map((n, axis) => (axis < missing || value.shape[axis - missing] === 1 ? 0 : value.strides[axis - missing]));
  return { ...value, shape, strides };
}

/** Axes of a walk over several values at once, those of length one left out and those that run on merged. */
function mergedAxes(shape, values) {
  const axes = [];
  shape.forEach((n, axis) => {
    if (n === 1) return;
    const steps = values.map((value) => value.strides[axis]);
    const last = axes.at(-1);
    if (last && last.steps.every((step, i) => step === steps[i] * n)) axes[axes.length - 1] = { n: last.n * n, steps };
    else axes.push({ n, steps });
  });
  return axes;
}

/** Calls inner(n, offsets, steps) for each run along the last axis of a walk. */
function walk(shape, values, inner) {
  if (size(shape) === 0) return;
  const axes = mergedAxes(shape, values);
  const last = axes.pop() ?? { n: 1, steps: values.map(() => 0) };
  const at = values.map((value) => value.offset);
  const counts = axes.map(() => 0);
  for (;;) {
    inner(last.n, at, last.steps);
    let axis = axes.length - 1;
    for (; axis >= 0; axis -= 1) {
      const { n, steps } = axes[axis];
      counts[axis] += 1;
      for (let i = 0; i < at.length; i += 1) at[i] += steps[i];
      if (counts[axis] < n) break;
      for (let i = 0; i < at.length; i += 1) at[i] -= steps[i] * n;
      counts[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** A function of one, two or three numbers, element by element. */
function elementwise(f, given) {
  const shape = commonShape(given.map((value) => value.shape));
  const out = new Float64Array(size(shape));
  const values = given.map((value) => stretched(value, shape));
  const run = [oneByOne, twoByTwo, threeByThree][given.length - 1];
  const data = values.map((value) => value.data);
  let place = 0;
  if (out.length)
    overBlocks(mergedAxes(shape, values), values.map((value) => value.offset), (rows, columns, at) => {
      run(f, out, place, rows, columns, data, at);
      place += rows.n * columns.n;
    });
  return valueOf(out, shape);
}

/** Calls inner(rows, columns, offsets) for the last two axes at every place of those before. */
function overBlocks(axes, offsets, inner) {
  const flat = { n: 1, steps: offsets.map(() => 0) };
  const columns = axes.at(-1) ?? flat;
  const rows = axes.at(-2) ?? flat;
  const down = (axis, at) => {
    if (axis >= axes.length - 2) inner(rows, columns, at);
    else for (let k = 0; k < axes[axis].n; k += 1) down(axis + 1, at.map((place, i) => place + k * axes[axis].steps[i]));
  };
  down(0, offsets);
}

function oneByOne(f, out, start, rows, columns, [a], [i]) {
  const [[down], [across]] = [rows.steps, columns.steps];
  for (let r = 0, place = start; r < rows.n; r += 1)
    for (let k = 0, p = i + r * down; k < columns.n; k += 1, p += across) out[place++] = f(a[p]);
}

function twoByTwo(f, out, start, rows, columns, [a, b], [i, j]) {
  const [[downA, downB], [acrossA, acrossB]] = [rows.steps, columns.steps];
  for (let r = 0, place = start; r < rows.n; r += 1)
    for (let k = 0, p = i + r * downA, q = j + r * downB; k < columns.n; k += 1, p += acrossA, q += acrossB)
      out[place++] = f(a[p], b[q]);
}

function threeByThree(f, out, start, rows, columns, [a, b, c], [i, j, l]) {
  const [[downA, downB, downC], [acrossA, acrossB, acrossC]] = [rows.steps, columns.steps];
  for (let r = 0, place = start; r < rows.n; r += 1)
    for (let k = 0, p = i + r * downA, q = j + r * downB, s = l + r * downC; k < columns.n; k += 1, p += acrossA, q += acrossB, s += acrossC)
      out[place++] = f(a[p], b[q], c[s]);
}

/** The same numbers one after the other. */
function laidOut(value) {
  const n = size(value.shape);
  if (value.offset === 0 && value.data.length === n && value.strides.every((step, axis) => step === packed(value.shape)[axis])) return value;
  return elementwise((x) => x, [value]);
}

// --- universal functions ----------------------------------------------------------------------

const truth = (x) => (x ? 1 : 0);
const whole = (f) => (x) => (Number.isFinite(x) ? f(x) : x);

/** Rounds to the nearest whole number, halves to the even one. */
function roundEven(x) {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

const UFUNCS = {
  abs: Math.abs, absolute: Math.abs, add: (a, b) => a + b, arccos: Math.acos, arccosh: Math.acosh, arcsin: Math.asin,
  arcsinh: Math.asinh, arctan: Math.atan, arctan2: (a, b) => Math.atan2(a, b), arctanh: Math.atanh, ceil: Math.ceil,
  cos: Math.cos, cosh: Math.cosh, equal: (a, b) => truth(a === b), exp: Math.exp, exp2: (a) => 2 ** a, expm1: Math.expm1,
  floor: Math.floor, floor_divide: (a, b) => Math.floor(a / b), greater: (a, b) => truth(a > b),
  greater_equal: (a, b) => truth(a >= b), isinf: (a) => truth(Math.abs(a) === Infinity), isnan: (a) => truth(Number.isNaN(a)),
  less: (a, b) => truth(a < b), less_equal: (a, b) => truth(a <= b), log: Math.log, log10: Math.log10, log1p: Math.log1p,
  log2: Math.log2, logaddexp: logAddExp, maximum: (a, b) => (a > b || a !== a ? a : b), minimum: (a, b) => (a < b || a !== a ? a : b),
  mod: (a, b) => a - b * Math.floor(a / b), multiply: (a, b) => a * b, negative: (a) => -a, not_equal: (a, b) => truth(a !== b),
  power: (a, b) => (a === 1 ? 1 : a ** b), reciprocal: (a) => 1 / a, rint: whole(roundEven), sign: Math.sign, sin: Math.sin,
  sinh: Math.sinh, sqrt: Math.sqrt, square: (a) => a * a, subtract: (a, b) => a - b, tan: Math.tan, tanh: Math.tanh,
  true_divide: (a, b) => a / b, trunc: Math.trunc,
  "scipy.special.betainc": betaTail, "scipy.special.betaincinv": betaQuantileOf, "scipy.special.erf": erf,
  "scipy.special.erfc": erfc, "scipy.special.erfcinv": erfcinv, "scipy.special.erfinv": erfinv,
  "scipy.special.expit": (a) => 1 / (1 + Math.exp(-a)), "scipy.special.gamma": gammaOf, "scipy.special.gammainc": gammaTail(0),
  "scipy.special.gammaincc": gammaTail(1), "scipy.special.gammainccinv": gammaQuantile(1),
  "scipy.special.gammaincinv": gammaQuantile(0), "scipy.special.gammaln": logAbsGamma, "scipy.special.psi": digamma,
};

/** On truths these are logic, on whole numbers they go bit by bit. */
const BITS = {
  bitwise_and: [(a, b) => truth(a && b), (a, b) => a & b], bitwise_or: [(a, b) => truth(a || b), (a, b) => a | b],
  bitwise_xor: [(a, b) => truth(a !== b), (a, b) => a ^ b], invert: [(a) => truth(!a), (a) => ~a],
};

/** Quantiles of one argument for many probabilities: worth a table, kept with that argument. */
const TABULATED = { "scipy.special.gammaincinv": 0, "scipy.special.gammainccinv": 1 };

function logAddExp(a, b) {
  const top = Math.max(a, b);
  return a === b ? a + Math.LN2 : Number.isFinite(top) ? top + Math.log1p(Math.exp(-Math.abs(a - b))) : top;
}

const STORED = {
  float32: Float32Array, int8: Int8Array, int16: Int16Array, int32: Int32Array, uint8: Uint8Array, uint16: Uint16Array,
  uint32: Uint32Array,
};

/** Numbers as their type holds them; 64-bit whole numbers are exact to 2^53. */
function asType(value, dtype) {
  if (dtype === "float64") return value;
  if (dtype === "bool") return elementwise(truth, [value]);
  if (dtype === "int64" || dtype === "uint64") return elementwise(Math.trunc, [value]);
  return { ...value, data: Float64Array.from(STORED[dtype].from(value.data)) };
}

function ufunc({ name, dtype }, given) {
  if (Object.hasOwn(TABULATED, name)) {
    const found = fromTable(TABULATED[name], given);
    if (found) return found;
  }
  const f = Object.hasOwn(BITS, name) ? BITS[name][dtype === "bool" ? 0 : 1] : UFUNCS[name];
  let found = elementwise(f, given.slice(0, f.length));
  for (const more of given.slice(f.length)) found = elementwise(f, [found, more]); // sums and products take any number
  return Object.hasOwn(STORED, dtype) ? asType(found, dtype) : found;
}

const tables = new WeakMap();

/** A quantile from the table of its first argument, where that stays the same for several probabilities; else null. */
function fromTable(which, [first, second]) {
  const shape = commonShape([first.shape, second.shape]);
  const own = size(first.shape);
  if (own < 200 || size(shape) < 4 * own) return null;
  if (!tables.has(first.data)) tables.set(first.data, {});
  const known = tables.get(first.data);
  const table = (known[which] ??= gammaQuantileTable(first.data, which));
  const places = { ...first, data: (known.places ??= Float64Array.from(first.data, (_, i) => i)) };
  const exact = gammaQuantile(which);
  return elementwise((i, p) => (p > 0 && p < 1 ? table(i, p) : exact(first.data[i], p)), [places, second]);
}

/** The whole number that a value holds, once or for every draw. */
function only(value) {
  const found = numbersOf(value);
  if (found.some((x) => x !== found[0])) throw new Error("lengths and places differ between draws");
  return found[0];
}

// --- shapes and sums --------------------------------------------------------------------------

const FOLDS = {
  Sum: [0, (a, b) => a + b], Prod: [1, (a, b) => a * b], All: [1, (a, b) => truth(a && b)], Any: [0, (a, b) => truth(a || b)],
  Max: [-Infinity, (a, b) => Math.max(a, b)], Min: [Infinity, (a, b) => Math.min(a, b)],
};

function fold({ name, axis, dtype }, [x]) {
  const rank = x.shape.length;
  const gone = new Set((axis ?? x.shape.map((_, i) => i)).map((a) => (a < 0 ? a + rank : a)));
  const kept = x.shape.filter((_, i) => !gone.has(i));
  const [start, f] = FOLDS[name];
  const out = new Float64Array(size(kept)).fill(start);
  const steps = packed(kept);
  let next = 0;
  const place = { offset: 0, strides: x.shape.map((_, i) => (gone.has(i) ? 0 : steps[next++])) };
  walk(x.shape, [x, place], (n, [i, j], [di, dj]) => {
    for (let k = 0; k < n; k += 1) {
      out[j] = f(out[j], x.data[i]);
      i += di;
      j += dj;
    }
  });
  return asType(valueOf(out, kept), dtype);
}

function shuffle({ order }, [x]) {
  const shape = order.map((axis) => (axis === "x" ? 1 : x.shape[axis]));
  return { ...x, shape, strides: order.map((axis) => (axis === "x" ? 0 : x.strides[axis])) };
}

function reshaped(x, shape) {
  const missing = shape.indexOf(-1);
  const whole = [...shape];
  if (missing >= 0) whole[missing] = size(x.shape) / Math.abs(size(shape));
  return valueOf(laidOut(x).data, whole);
}

/** Where a slice begins, how many it takes and in which steps, as Python counts them. */
function sliced(start, stop, step, n) {
  const by = step ?? 1;
  const inside = (x, low, high) => Math.min(high, Math.max(low, x < 0 ? x + n : x));
  const [low, high] = by > 0 ? [0, n] : [-1, n - 1];
  const from = start === null ? (by > 0 ? low : high) : inside(start, low, high);
  const to = stop === null ? (by > 0 ? high : low) : inside(stop, low, high);
  return { from, by, count: Math.max(0, Math.ceil((to - from) / by)) };
}

/** New axes of length one after the first ones, up to a rank. */
function padded(value, batch, rank) {
  const more = (list, what) => [...list.slice(0, batch), ...Array(rank - list.length).fill(what), ...list.slice(batch)];
  return { ...value, shape: more(value.shape, 1), strides: more(value.strides, 0) };
}

/** Sets or adds to what would be picked. */
function assign({ entries, set, batch }, [x, value, ...indices]) {
  const front = commonShape([x.shape.slice(0, batch), value.shape.slice(0, batch)]);
  const out = valueOf(Float64Array.from(laidOut(stretched(x, [...front, ...x.shape.slice(batch)])).data), [...front, ...x.shape.slice(batch)]);
  const places = valueOf(Float64Array.from(out.data, (_, i) => i), out.shape);
  const chosen = pick({ entries, batch }, [places, ...indices]);
  const wide = stretched(padded(value, batch, chosen.shape.length), chosen.shape);
  walk(chosen.shape, [chosen, wide], (n, [i, j], [di, dj]) => {
    for (let k = 0; k < n; k += 1) {
      const at = chosen.data[i + k * di];
      out.data[at] = (set ? 0 : out.data[at]) + wide.data[j + k * dj];
    }
  });
  return out;
}

function pick({ entries, batch = 0 }, [x, ...indices]) {
  const at = (position) => (position === null ? null : only(indices[position]));
  const axes = [];
  const advanced = [];
  let offset = x.offset;
  x.shape.forEach((n, axis) => {
    const entry = axis < entries.length ? entries[axis] : [null, null, null];
    const step = x.strides[axis];
    if (Array.isArray(entry)) {
      const { from, by, count } = sliced(...entry.map(at), n);
      offset += from * step;
      axes.push({ shape: [count], step: by * step });
      return;
    }
    const one = batch > 0 || indices[entry].shape.length === 0;
    const places = Float64Array.from(one ? [at(entry)] : numbersOf(indices[entry]), (i) => (i < 0 ? i + n : i) * step);
    advanced.push(axis);
    if (one) offset += places[0];
    else axes.push({ shape: indices[entry].shape, places });
  });
  const array = axes.findIndex((one) => one.places);
  if (array < 0) return { data: x.data, shape: axes.map((one) => one.shape[0]), strides: axes.map((one) => one.step), offset };
  if (advanced.at(-1) - advanced[0] >= advanced.length) axes.unshift(...axes.splice(array, 1)); // apart, they lead: as NumPy
  return gathered(x, offset, axes);
}

/** Numbers of a value at an offset and the sum of one place of each axis. */
function gathered(x, offset, axes) {
  const shape = axes.flatMap((one) => one.shape);
  const out = new Float64Array(size(shape));
  const places = axes.map((one) => one.places ?? Float64Array.from({ length: one.shape[0] }, (_, i) => i * one.step));
  let next = 0;
  const down = (axis, from) => {
    if (axis === places.length) out[next++] = x.data[from];
    else for (const step of places[axis]) down(axis + 1, from + step);
  };
  down(0, offset);
  return valueOf(out, shape);
}

function join({ axis }, parts) {
  const at = axis < 0 ? axis + parts[0].shape.length : axis;
  const shape = parts[0].shape.map((n, i) => (i === at ? parts.reduce((sum, part) => sum + part.shape[i], 0) : n));
  const out = valueOf(new Float64Array(size(shape)), shape);
  const strides = shape.map((_, i) => size(shape.slice(i + 1)));
  let start = 0;
  for (const part of parts) {
    copied(part, out.data, start * strides[at], strides);
    start += part.shape[at];
  }
  return out;
}

/** Puts the numbers of a value into an array, from a place and in steps for each axis. */
function copied(value, out, offset, strides, f = (_, x) => x) {
  walk(value.shape, [value, { offset, strides }], (n, [i, j], [di, dj]) => {
    for (let k = 0; k < n; k += 1) {
      out[j] = f(out[j], value.data[i]);
      i += di;
      j += dj;
    }
  });
}

/** Sets or adds values at places along the first axis of the core, the last `rank` axes. */
function scatter({ rank, set }, [base, value, index]) {
  const core = base.shape.slice(-rank);
  const batch = commonShape([base.shape.slice(0, -rank), value.shape.slice(0, -rank)]);
  const shape = [...batch, ...core];
  const out = valueOf(Float64Array.from(laidOut(stretched(base, shape)).data), shape);
  const steps = shape.map((_, i) => size(shape.slice(i + 1)));
  const places = laidOut(index).data;
  const wide = stretched(value, [...batch, places.length, ...core.slice(1)]);
  places.forEach((at, i) => {
    const row = { ...wide, shape: [...batch, 1, ...core.slice(1)], offset: wide.offset + i * wide.strides[batch.length] };
    copied(row, out.data, (at < 0 ? at + core[0] : at) * steps[batch.length], steps, set ? undefined : (a, b) => a + b);
  });
  return out;
}

/** Products of vectors and matrices, a pair for each place of the axes before them. */
function product({ rule }, [a, b]) {
  const [left, right] = rule.split("->")[0].split(",").map((part) => part.replace("...", "").length);
  const rows = left === 2 ? a.shape.at(-2) : 1;
  const columns = right === 2 ? b.shape.at(-1) : 1;
  const inner = a.shape.at(-1);
  const batch = commonShape([a.shape.slice(0, -left), b.shape.slice(0, -right)]);
  const [x, y] = [stretched(a, [...batch, ...a.shape.slice(-left)]), stretched(b, [...batch, ...b.shape.slice(-right)])];
  const [xi, xj] = [left === 2 ? x.strides.at(-2) : 0, x.strides.at(-1)];
  const [yj, yk] = right === 2 ? y.strides.slice(-2) : [y.strides.at(-1), 0];
  const out = new Float64Array(size(batch) * rows * columns);
  let place = 0;
  const fronts = [x, y].map((value) => ({ offset: value.offset, strides: value.strides.slice(0, batch.length) }));
  walk(batch, fronts, (n, [p, q], [dp, dq]) => {
    for (let m = 0; m < n; m += 1)
      for (let i = 0; i < rows; i += 1)
        for (let k = 0; k < columns; k += 1) {
          let sum = 0;
          for (let j = 0; j < inner; j += 1) sum += x.data[p + m * dp + i * xi + j * xj] * y.data[q + m * dq + j * yj + k * yk];
          out[place++] = sum;
        }
  });
  return valueOf(out, [...batch, ...(left === 2 ? [rows] : []), ...(right === 2 ? [columns] : [])]);
}

function diagonal({ offset, axes }, [x]) {
  const [one, other] = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  const skip = [Math.max(0, -offset), Math.max(0, offset)];
  const length = Math.max(0, Math.min(x.shape[one] - skip[0], x.shape[other] - skip[1]));
  const kept = (list) => list.filter((_, axis) => axis !== one && axis !== other);
  return {
    data: x.data, shape: [...kept(x.shape), length], strides: [...kept(x.strides), x.strides[one] + x.strides[other]],
    offset: x.offset + skip[0] * x.strides[one] + skip[1] * x.strides[other],
  };
}

/** Calls f(numbers, place, step, length) for each run of a laid-out copy along an axis. */
function alongAxis(x, axis, f) {
  const out = Float64Array.from(laidOut(x).data);
  const at = axis < 0 ? axis + x.shape.length : axis;
  const step = size(x.shape.slice(at + 1));
  const length = x.shape[at];
  for (let block = 0; block < out.length; block += step * length)
    for (let i = 0; i < step; i += 1) f(out, block + i, step, length);
  return valueOf(out, x.shape);
}

function cumulate({ name, axis }, [x]) {
  const f = name === "add" ? UFUNCS.add : UFUNCS.multiply;
  return alongAxis(x, axis, (out, place, step, length) => {
    for (let k = 1; k < length; k += 1) out[place + k * step] = f(out[place + (k - 1) * step], out[place + k * step]);
  });
}

/** exp(x) / sum(exp(x)), its logarithm, or the logarithm of the sum. */
function softmax({ name, axis }, [x]) {
  const axes = axis.map((a) => a + x.shape.length);
  const wide = (value) => ({ ...value, shape: x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
    strides: packed(x.shape.map((n, i) => (axes.includes(i) ? 1 : n))) });
  const over = (what, value) => fold({ name: what, axis: axes, dtype: "float64" }, [value]);
  const top = over("Max", x);
  const moved = elementwise((a, b) => a - b, [x, wide(top)]);
  const grown = elementwise(Math.exp, [moved]);
  const sum = over("Sum", grown);
  if (name === "LogSumExp") return elementwise((a, b) => Math.log(a) + b, [sum, top]);
  return name === "Softmax" ? elementwise((a, b) => a / b, [grown, wide(sum)]) : elementwise((a, b) => a - Math.log(b), [moved, wide(sum)]);
}

const numbersOf = (value) => Array.from(laidOut(value).data);

const OPERATIONS = {
  alloc: ({ batch = 0 }, [value, ...shape]) => {
    const front = value.shape.slice(0, batch);
    return stretched(padded(value, batch, batch + shape.length), [...front, ...shape.map(only)]);
  },
  arange: ({ batch }, ends) => {
    const [from, to, by] = ends.map(only);
    const count = Math.max(0, Math.ceil((to - from) / by));
    return valueOf(Float64Array.from({ length: count }, (_, i) => from + by * i), [...Array(batch).fill(1), count]);
  },
  assign,
  cast: ({ dtype }, [x]) => asType(x, dtype),
  check: ({ message }, [value, ...conditions]) => {
    if (conditions.some((condition) => numbersOf(condition).some((x) => !x))) throw new Error(message);
    return value;
  },
  clip: (_, given) => elementwise((x, low, high) => (x < low ? low : x > high ? high : x), given),
  cumulate,
  diagonal,
  eye: (_, ends) => {
    const [rows, columns, offset] = ends.map(only);
    return valueOf(Float64Array.from({ length: rows * columns }, (__, i) => truth((i % columns) - Math.floor(i / columns) === offset)),
      [rows, columns]);
  },
  fill: (_, [like, value]) => stretched(value, commonShape([like.shape, value.shape])),
  fold,
  join,
  log1mexp: (_, [x]) => elementwise((a) => (a < -Math.LN2 ? Math.log1p(-Math.exp(a)) : Math.log(-Math.expm1(a))), [x]),
  pick,
  product,
  reshape: ({ batch }, [x, shape]) => {
    const lengths = laidOut(shape).data.subarray(-shape.shape.at(-1) || Infinity); // those of the last draw, as of every one
    return reshaped(x, [...x.shape.slice(0, batch), ...lengths]);
  },
  same: (_, [x]) => x,
  scatter,
  shape: (_, [x]) => valueOf(Float64Array.from(x.shape), [x.shape.length]),
  shuffle,
  softmax,
  softplus: (_, [x]) => elementwise((a) => logAddExp(0, a), [x]),
  stack: (_, parts) => join({ axis: 0 }, parts.map((part) => shuffle({ order: ["x", ...part.shape.keys()] }, [part]))),
  ufunc,
  where: (_, given) => elementwise((condition, yes, no) => (condition ? yes : no), given),
};

// --- playing ----------------------------------------------------------------------------------

/** Numbers of a constant, nested or not; those JSON has no number for are words. */
function numbersIn(value) {
  const words = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  return Float64Array.from([value].flat(Infinity), (x) => (typeof x === "string" ? words[x] : Number(x)));
}

const KEPT = 1.5e8; // bytes of results between one play and the next

/** What is played: the names of operations, of functions of numbers and of types, for Python to ask before it makes a page. */
const PLAYED = [...Object.keys(OPERATIONS), ...Object.keys(UFUNCS), ...Object.keys(BITS), ...Object.keys(STORED),
  "input", "constant", "float64", "int64", "uint64", "bool"];

/**
 * A player of a tape. play(inputs) takes values by name and returns those of the outputs; cells are computed again only
 * where an input they depend on has been replaced since.
 */
function openTape(tape) {
  const inputs = [...new Set(tape.cells.filter(([does]) => does === "input").map(([, settings]) => settings.name))];
  const given = Object.fromEntries(inputs.map((name) => [name, undefined]));
  const depends = [];
  tape.cells.forEach(([does, settings, of], at) => {
    depends[at] = new Set(does === "input" ? [settings.name] : of.flatMap((i) => [...depends[i]]));
  });
  const results = new Array(tape.cells.length);
  const outputs = Object.values(tape.outputs);
  return { inputs, play: (values) => {
    const fresh = new Set(inputs.filter((name) => given[name] !== values[name]));
    for (const name of fresh) given[name] = values[name];
    results.forEach((_, at) => {
      for (const name of depends[at]) if (fresh.has(name)) results[at] = undefined;
    });
    const made = playNeeded(tape, given, results, outputs);
    const found = Object.fromEntries(Object.entries(tape.outputs).map(([name, at]) => [name, results[at]]));
    const bytes = (list) => list.reduce((sum, at) => sum + (results[at] ? results[at].data.byteLength : 0), 0);
    if (bytes([...results.keys()]) > KEPT) for (const at of made) if (!outputs.includes(at)) results[at] = undefined;
    return found;
  } };
}

/** Computes the cells that outputs need and that have no result; returns their positions. */
function playNeeded(tape, given, results, outputs) {
  const wanted = new Set(outputs);
  for (let at = tape.cells.length - 1; at >= 0; at -= 1)
    if (wanted.has(at) && results[at] === undefined) for (const i of tape.cells[at][2]) wanted.add(i);
  const made = [];
  tape.cells.forEach(([does, settings, of, value], at) => {
    if (!wanted.has(at) || results[at] !== undefined) return;
    if (does === "input") results[at] = given[settings.name];
    else if (does === "constant") results[at] = valueOf(numbersIn(value), settings.shape);
    else results[at] = OPERATIONS[does](settings, of.map((i) => results[i]));
    made.push(at);
  });
  return made;
}
