(() => {
"use strict";
// The page as a tool: tables that sort, copy and download; figures that open and save; the section in view.

const made = (name, text, act) => Object.assign(document.createElement(name), { textContent: text, ...act });

function save(blob, name) {
  const link = made("a", "", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The text of a cell on one line, what stands below it in brackets. */
const part = (node) => (node.nodeName === "BR" ? " " : node.className === "below" ? `(${node.textContent})` : node.textContent);
const plain = (cell) => [...cell.childNodes].map(part).join("").trim();
const rowsOf = (table) => [...table.rows].map((row) => [...row.cells].map(plain));

/** A cell of CSV; what a spreadsheet would take for a formula is text. */
function quoted(text) {
  const safe = /^[=@\t\r]|^[+-](?![\d.])/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What a cell is sorted by: its number where it has one, a number that it begins with, or its words. */
function order(cell) {
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  const text = plain(cell).replace(/^[<>≤≥]\s*/, "").replaceAll("−", "-").replaceAll(",", "");
  const [, digits, unit] = text.match(/^([+-]?[\d.]+)\s*(k|M|bn)?/) ?? [];
  return digits === undefined ? text.toLowerCase() : Number(digits) * ({ k: 1e3, M: 1e6, bn: 1e9 }[unit] ?? 1);
}

function sort(table, column, head) {
  const rising = head.getAttribute("aria-sort") !== "ascending";
  const keyed = [...table.tBodies[0].rows].map((row) => [order(row.cells[column]), row]);
  const way = rising ? 1 : -1;
  keyed.sort(([a], [b]) => (typeof a === typeof b ? way * (typeof a === "number" ? a - b : a.localeCompare(b)) : typeof a === "number" ? -1 : 1));
  table.tBodies[0].append(...keyed.map(([, row]) => row));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
}

function tool(words, name, act) {
  const button = made("button", words, { type: "button", onclick: () => act(button) });
  button.setAttribute("aria-label", `${words}: ${name}`);
  return button;
}

for (const box of document.querySelectorAll(".box")) {
  const table = box.querySelector("table");
  const caption = table.querySelector("caption");
  const name = caption.querySelector("b").textContent.replace(/\.$/, "");
  const bar = made("p", "", { className: "tools" });
  bar.append(
    tool("Copy", name, async (button) => {
      await navigator.clipboard.writeText(rowsOf(table).map((row) => row.join("\t")).join("\n"));
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    }),
    tool("CSV", name, () => save(new Blob([`\ufeff${rowsOf(table).map((row) => row.map(quoted).join(",")).join("\r\n")}\r\n`],
      { type: "text/csv" }), `${caption.id.replace(/^t-/, "")}.csv`)),
  );
  box.after(bar);
  if (table.tBodies[0].rows.length > 2)
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = made("button", "", { type: "button", className: "sort", onclick: () => sort(table, column, head) });
      button.append(...head.childNodes);
      head.append(button);
    });
}

/** The markup of a picture on its own, with its typefaces and in its own colours. */
function alone(figure) {
  const svg = figure.querySelector("svg").cloneNode(true);
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
  const style = document.createElementNS(svg.namespaceURI, "style");
  style.textContent = rules.filter((rule) => rule instanceof CSSFontFaceRule).map((rule) => rule.cssText).join("");
  svg.prepend(style);
  return { text: svg.outerHTML.replace(/var\(--f-[0-9a-f]{6},\s*(#[0-9a-f]{6})\)/g, "$1"), width, height };
}

function asPicture(figure, name) {
  const { text, width, height } = alone(figure);
  const image = new Image();
  image.onload = () => {
    const canvas = made("canvas", "", { width: Math.round(width * 4), height: Math.round(height * 4) });
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(blob, `${name}.png`));
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

for (const figure of document.querySelectorAll("figure[id]")) {
  const name = figure.querySelector("figcaption b").textContent.replace(/\.$/, "");
  const file = figure.id.replace(/^f-/, "");
  const blob = () => new Blob([alone(figure).text], { type: "image/svg+xml" });
  const bar = made("p", "", { className: "tools" });
  bar.append(tool("Open", name, () => open(URL.createObjectURL(blob()), "_blank")),
    tool("SVG", name, () => save(blob(), `${file}.svg`)), tool("PNG", name, () => asPicture(figure, file)));
  figure.append(bar);
}

const links = new Map([...document.querySelectorAll("nav.contents a")].map((link) => [link.hash.slice(1), link]));
const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);

function mark() {
  const current = sections.findLast((section) => section.getBoundingClientRect().top < innerHeight / 3) ?? sections[0];
  for (const [id, link] of links) {
    if (id === current?.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; mark(); });
}, { passive: true });
mark();
})();
