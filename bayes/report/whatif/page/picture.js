// The live picture: fifty quantile dots above the axis, those of the unmodified answer below, each with its interval.

const DOTS = 50;
const [TOP, BOTTOM] = [14, 18]; // room for the word "threshold" and for the numbers of the axis
const SVG = "http://www.w3.org/2000/svg";

function mark(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

/** Draws both answers into an <svg>; each a row with a quantile function, or null for an answer that is not relied on. */
function drawPicture(svg, shown, base, threshold, size) {
  for (const node of [...svg.querySelectorAll(":scope > :not(title, desc)")]) node.remove();
  const { width, height } = size;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const edge = 14;
  const [low, high] = extent(shown ? [shown, base] : [base]);
  const x = (value) => edge + ((clamp(value, low, high) - low) / (high - low)) * (width - 2 * edge);
  const middle = TOP + (height - TOP - BOTTOM) / 2;
  drawAxis(svg, x, [low, high], { middle, height, width });
  const room = middle - TOP - 22;
  const wide = [13, 11, 10, 9, 8, 7, 6, 5, 4].find((w) => [shown ?? base, base].every((row) => w * stacked(row, x, w).tallest < room)) ?? 3;
  if (shown) drawSide(svg, shown, { x, middle, up: -1, wide, kind: "shown" });
  else mark(svg, "text", { class: "wi-tick", x: width / 2, y: middle - 30, "text-anchor": "middle" }, "no reliable answer");
  drawSide(svg, base, { x, middle, up: 1, wide, kind: "base" });
  if (threshold > low && threshold < high) drawThreshold(svg, x(threshold), width, height);
}

/** From the lowest to the highest percentile of either answer, zero included. */
function extent(rows) {
  const low = Math.min(0, ...rows.map((row) => row.quantile(0.01)));
  const high = Math.max(...rows.map((row) => Math.max(row.quantile(0.99), row.upper.value)));
  return high > low ? [low, high] : [low - 1, low + 1];
}

/** Fifty quantiles, in columns of a fixed width. */
function stacked(row, x, wide) {
  const columns = new Map();
  for (let i = 0; i < DOTS; i += 1) {
    const column = Math.round(x(row.quantile((i + 0.5) / DOTS)) / wide);
    columns.set(column, (columns.get(column) ?? 0) + 1);
  }
  return { columns, tallest: Math.max(...columns.values()) };
}

function drawSide(svg, row, { x, middle, up, wide, kind }) {
  const group = mark(svg, "g", { class: `wi-${kind}` });
  for (const [column, count] of stacked(row, x, wide).columns)
    for (let i = 0; i < count; i += 1)
      mark(group, "circle", { cx: column * wide, cy: middle + up * (5 + wide * (i + 0.5)), r: wide / 2 - 0.6 });
  const y = middle + up * (middle - TOP - 8);
  mark(group, "line", { x1: x(row.lower.value), x2: x(row.upper.value), y1: y, y2: y, "stroke-width": 2 });
  mark(group, "line", { x1: x(row.quantile(0.25)), x2: x(row.quantile(0.75)), y1: y, y2: y, "stroke-width": 6 });
  mark(group, "circle", { class: "wi-median", cx: x(row.median.value), cy: y, r: 5 });
}

function drawAxis(svg, x, [low, high], { middle, height, width }) {
  mark(svg, "line", { class: "wi-axis", x1: x(low), x2: x(high), y1: middle, y2: middle });
  const step = niceStep((high - low) / Math.max(3, Math.floor(width / 110)));
  for (let i = Math.ceil(low / step); i * step <= high; i += 1) {
    const at = x(i * step);
    mark(svg, "line", { class: "wi-axis", x1: at, x2: at, y1: middle - 4, y2: middle + 4 });
    const anchor = at < 20 ? "start" : at > width - 24 ? "end" : "middle";
    mark(svg, "text", { class: "wi-tick", x: at, y: height - 2, "text-anchor": anchor }, compact(i * step));
  }
}

/** Draws two courses over time into an <svg>, or one where the other is null: a line with points, and a dashed one. */
function drawScheme(svg, shown, base, { ends, width, height }) {
  for (const node of [...svg.querySelectorAll(":scope > :not(title, desc)")]) node.remove();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const edge = 8;
  const [floor, ceiling] = [height - BOTTOM, BOTTOM];
  const most = Math.max(...base, ...(shown ?? [])) || 1;
  const at = (course) => course.map((value, i) =>
    [edge + (i / (course.length - 1)) * (width - 2 * edge), floor - (value / most) * (floor - ceiling)]);
  for (const y of [floor, ceiling]) mark(svg, "line", { class: y === floor ? "wi-axis" : "wi-grid-line", x1: edge, x2: width - edge, y1: y, y2: y });
  mark(svg, "text", { class: "wi-tick", x: edge, y: ceiling - 4 }, compact(most));
  mark(svg, "text", { class: "wi-tick", x: edge, y: height - 3 }, ends[0]);
  mark(svg, "text", { class: "wi-tick", x: width - edge, y: height - 3, "text-anchor": "end" }, ends[1]);
  for (const [kind, course] of [["base", base], ["shown", shown]]) {
    if (!course) continue;
    const group = mark(svg, "g", { class: `wi-${kind}` });
    mark(group, "polyline", { points: at(course).map((point) => point.join()).join(" ") });
    if (kind === "shown") for (const [cx, cy] of at(course)) mark(group, "circle", { cx, cy, r: 2.5 });
  }
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((n) => n * power >= rough);
}

function drawThreshold(svg, at, width, height) {
  mark(svg, "line", { class: "wi-threshold", x1: at, x2: at, y1: 2, y2: height - BOTTOM });
  const right = at > width - 90;
  mark(svg, "text", { class: "wi-tick", x: at + (right ? -5 : 5), y: 10, "text-anchor": right ? "end" : "start" }, "threshold");
}
