// The panels of one model. Every plot has the words along its x axis, so one CSS variable moves all cursors.
import { element, shape, shorten } from "../shared/js/elements.js"
import { button, decimal, MINUS, modelMark, percent, saveDrawing } from "../shared/js/parts.js"
import { paint, savePicture } from "../shared/js/pictures.js"
import { drawCell, flows, linkParts, showCell } from "./cell.js"
import { buildEquations, EQUATIONS, showEquations } from "./equations.js"
import { choose, pickUnit, showUnit } from "./stepper.js"

const HOW = {
  verdict: "How to read this: P(positive) if the text ended at the cursor.",
  word: "How to read this: how likely the model held the word at the cursor, having read those before it.",
  drawing: `How to read this: valves open with their gate; a pipe is as thick as what flows through it, ${PYTHON.signed_names[1]} above 0, ${PYTHON.signed_names[0]} below.`,
  equations: "How to read this: in the brackets stand what the word adds (W\u2093 x), what the state before adds (W\u2095 h) and the bias. Each number is rounded by itself.",
  hidden: "How to read this: a row is a unit of the hidden state h, a column a word; units are sorted by when they are most active. Click a row to pick its unit.",
  cell: "How to read this: the same rows for the cell state c, which the gates protect.",
  gates: "How to read this: line: mean over all units; band: middle half of the units; dots: the picked unit. 1 is open, 0 is shut.",
}
const BACKWARD_HOW = " It has read from the end of the text back to the cursor."
const GATE_NAMES = { f: "forget gate f", i: "input gate i", o: "output gate o", r: "reset gate r", z: "update gate z" }

export function buildColumn(stepper, data, { header, arrays }) {
  const column = { ...data, panels: {}, lanes: [] }
  const n = header.words.length
  if (arrays[`${data.side}.curve`]) column.curve = { steps: data.steps, values: arrays[`${data.side}.curve`] }
  const panel = (kind, row, title) => {
    const node = element("section", `panel ${kind}`, stepper.columns)
    node.style.setProperty("--row", row)
    node.style.setProperty("--side", data.side === "left" ? 1 : 2)
    node.dataset.side = data.side
    if (title) element("h3", "", node, title)
    node.setAttribute("aria-label", `${data.label}: ${title || "verdict"}`)
    return node
  }
  buildVerdict(stepper, column, panel("verdict", 1), header)
  if (data.problem) {
    element("p", "problem", panel("drawing", 2), data.problem)
    return column
  }
  column.lanes = data.lanes.map((lane, k) => ({
    ...lane, key: `${data.side}.${k}`, column, n, unit: null, values: null, backwards: lane.direction === "backwards",
    said: data.lanes.length > 1 ? (k ? " (reading backwards)" : " (reading forwards)") : "",
  }))
  const each = (kind, row, title, build) => {
    const node = panel(kind, row, title)
    for (const lane of column.lanes) {
      const part = element("div", lane.backwards ? "lane backwards" : "lane", node)
      if (lane.said) element("h4", "", part, `${lane.backwards ? "Reading backwards" : "Reading forwards"}`)
      build(lane, part)
    }
    element("p", "how", node, HOW[kind] + (column.lanes.length > 1 && kind === "hidden" ? BACKWARD_HOW.replace("It", "The backward half") : ""))
    return node
  }
  each("drawing", 2, `One unit of the ${data.called} at this word`, (lane, part) => buildDrawing(stepper, lane, part))
  each("equations", 3, "Equations, this step’s numbers", (lane, part) => {
    lane.equations = buildEquations(part, EQUATIONS[data.cell].map((one) => ({ ...one, text: one.text.replaceAll("\u209c\u208b\u2081", before(lane)) })))
  })
  for (const lane of column.lanes) linkParts([lane.drawing.svg, lane.equations.list])
  each("hidden", 4, "Hidden state h, all units", (lane, part) => buildMap(stepper, lane, part, "hidden", arrays))
  if (column.lanes[0].bounds.cell) {
    each("cell", 5, "Cell state c, all units", (lane, part) => buildMap(stepper, lane, part, "cell", arrays))
  } else element("p", "none", panel("cell", 5, "Cell state c"), `The ${data.called} has no cell state c: h is all that it carries from word to word.`)
  if (column.lanes[0].gates.length) {
    each("gates", 6, "Gates, word by word", (lane, part) => {
      lane.charts = lane.gates.map((gate) => buildGate(stepper, lane, part, gate, arrays[`${lane.key}.${gate.name}`]))
    })
  } else element("p", "none", panel("gates", 6, "Gates"), `The ${data.called} has no gates: nothing decides what stays and what goes.`)
  return column
}

function buildVerdict(stepper, column, node, header) {
  const head = element("div", "head", node)
  modelMark(head, column.colour, column.dash)
  const select = element("select", "model", head)
  select.setAttribute("aria-label", column.side === "left" ? "Left model" : "Right model")
  for (const { name, label } of header.names) {
    const option = element("option", "", select, label)
    option.value = name
  }
  select.value = column.name
  select.onchange = () => choose(stepper, column.side, { model: select.value, units: [] })
  column.verdict = { said: element("span", "said", head), word: element("span", "saying", head) }
  if (!column.curve) return
  const plot = buildPlot(stepper, node, "curve")
  const { steps, values } = column.curve
  const svg = shape("svg", plot, { viewBox: `0 0 ${header.words.length} 100`, preserveAspectRatio: "none", role: "img" })
  svg.setAttribute("aria-label", `${saidBy(column)} of the ${column.label} ${column.writes ? "at" : "after"} each word; at the end ${percent(values.at(-1))} per cent.`)
  shape("path", svg, { d: `M0 50H${header.words.length}`, class: "half" })
  const points = Array.from(values, (p, k) => `${(steps ? steps[k] : k) + 0.5} ${(100 - 100 * p).toFixed(2)}`)
  shape("path", svg, { d: `M${points.join("L")}`, class: "line", stroke: column.colour })
  if (steps) shape("path", svg, { d: points.map((point) => `M${point}h0`).join(""), class: "dots", stroke: column.colour })
  element("span", "veil", plot)
  element("span", "cursor", plot)
  column.verdict.dot = element("span", "dot", plot)
  column.verdict.dot.style.background = column.colour
  ticks(plot, ["100 %", "50 %", "0 %"])
  element("p", "how", node, (column.writes ? HOW.word : HOW.verdict) + (steps ? ` The ${column.label} was run again on ${steps.length} beginnings of the text (dots).` : ""))
}

// What the curve of a column is of.
export function saidBy({ writes }) {
  return writes ? "P(word)" : "P(positive)"
}

function ticks(plot, labels) {
  labels.forEach((label, k) => { element("span", "tick", plot, label).style.top = `${(100 * k) / (labels.length - 1)}%` })
}

function buildDrawing(stepper, lane, part) {
  const pick = element("div", "pick", part)
  const label = element("label", "", pick, "Unit ")
  lane.input = element("input", "unit", label)
  Object.assign(lane.input, { type: "number", min: 1, max: lane.n_units, step: 1 })
  lane.input.setAttribute("aria-label", `Unit of the ${lane.column.label}${lane.said}, ${lane.column.side}`)
  lane.input.oninput = () => { lane.typed = true }
  lane.input.onchange = () => {
    lane.typed = false
    pickUnit(stepper, lane, Math.round(lane.input.valueAsNumber) - 1)
  }
  lane.input.onblur = () => { // also where what was typed is what stood there before, which is no change
    lane.typed = false
    showUnit(lane)
  }
  element("span", "", label, ` of ${lane.n_units}`)
  button(pick, "quiet", "Save drawing (SVG)", () =>
    saveDrawing(`${lane.column.name}-unit-${lane.unit + 1}-word-${stepper.cursor + 1}.svg`, lane.drawing.svg))
  lane.drawing = drawCell(part, lane.column.cell, `Cell of the ${lane.column.label}${lane.said} with this step's numbers`, before(lane))
}

// The step before a step, as a subscript: reading backwards it is the next word's.
function before(lane) {
  return lane.backwards ? "\u209c\u208a\u2081" : "\u209c\u208b\u2081"
}

function buildPlot(stepper, parent, kind) {
  const plot = element("div", `plot ${kind}`, parent)
  if (kind !== "map") {
    plot.onclick = (event) => {
      const { left, width } = plot.getBoundingClientRect()
      moveTo(stepper, Math.floor(((event.clientX - left) / width) * stepper.n))
    }
  }
  return plot
}

// A picture of one pixel a cell, stretched by CSS: the cursor moves over it and never repaints it.
function buildMap(stepper, lane, part, name, arrays) {
  const plot = buildPlot(stepper, part, "map")
  const canvas = element("canvas", "", plot)
  Object.assign(canvas, { width: lane.n, height: lane.n_units })
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", `${name === "cell" ? "Cell state c" : "Hidden state h"} of the ${lane.column.label}${lane.said}: ${lane.n_units} units by ${lane.n} words`)
  element("span", "veil", plot)
  element("span", "cursor", plot)
  const row = element("span", "row", plot)
  const order = arrays[`${lane.key}.order`]
  lane.rank ??= Int32Array.from(order).reduce((rank, unit, at) => { rank[unit] = at; return rank }, new Int32Array(lane.n_units))
  lane.rows = [...(lane.rows ?? []), row]
  plot.onclick = (event) => {
    const { top, height } = plot.getBoundingClientRect()
    const at = Math.min(Math.max(Math.floor(((event.clientY - top) / height) * lane.n_units), 0), lane.n_units - 1)
    pickUnit(stepper, lane, order[at])
  }
  lane.maps = [...(lane.maps ?? []), { canvas, levels: arrays[`${lane.key}.${name}`], order }]
  const legend = element("div", "legend", part)
  const bound = lane.bounds[name]
  const shown = Number.isInteger(bound) ? String(bound) : decimal(bound, 1)
  const beyond = name === "cell" ? "\u2264 " : "" // single units run far beyond the others
  element("span", "", legend, `${beyond}${MINUS}${shown}`)
  element("span", "ramp", legend)
  element("span", "", legend, `${beyond && "\u2265 "}+${shown}`)
  button(legend, "quiet", "Save picture (PNG)", () => savePicture(`${lane.column.name}-${name}-units-by-words.png`, canvas))
}

export function paintMaps(lane, palette) {
  for (const { canvas, levels, order } of lane.maps ?? []) {
    paint(canvas, (row, step) => levels[step * canvas.height + order[row]], palette)
  }
}

function buildGate(stepper, lane, part, gate, summary) {
  const { n } = lane
  const line = element("div", "gate-name", part)
  element("span", "", line, GATE_NAMES[gate.symbol])
  const mean = element("span", "", line)
  const plot = buildPlot(stepper, part, "gate")
  const svg = shape("svg", plot, { viewBox: `0 0 ${n} 1`, preserveAspectRatio: "none", role: "img" })
  svg.setAttribute("aria-label", `${gate.meaning}, mean over units and picked unit, after each word`)
  const points = (start, of) => Array.from({ length: n }, (_, t) => `${t + 0.5} ${(1 - of[start + t]).toFixed(4)}`)
  shape("path", svg, { d: `M${points(0, summary).join("L")}L${points(2 * n, summary).reverse().join("L")}Z`, class: "band" }).style.fill = lane.column.colour
  shape("path", svg, { d: `M${points(n, summary).join("L")}`, class: "line", stroke: lane.column.colour })
  const own = shape("path", svg, { class: "own" })
  ticks(plot, ["1", "0"])
  element("span", "veil", plot)
  element("span", "cursor", plot)
  return { ...gate, mean, summary, show: (values) => own.setAttribute("d", `M${points(0, values).join("L")}`) }
}

// All numbers of one step, by the names that the equations use.
export function valuesAt(lane, step) {
  const { series, biases, start } = lane.values
  const values = {}
  for (const [key, array] of Object.entries(series)) values[key] = array[step]
  for (const [name, [x, h]] of Object.entries(biases)) Object.assign(values, { [`${name}.bx`]: x, [`${name}.bh`]: h, [`${name}.b`]: x + h })
  const before = step + (lane.backwards ? 1 : -1)
  const known = before >= 0 && before < lane.n
  values.h_prev = known ? series.h[before] : (start.hidden ?? 0)
  if (series.c) values.c_prev = known ? series.c[before] : (start.cell ?? 0)
  return flows(lane.column.cell, values)
}

export function showLane(stepper, lane, step) {
  lane.charts?.forEach(({ symbol, mean, summary }) => {
    const own = lane.values ? ` · unit ${lane.unit + 1}: ${decimal(lane.values.series[symbol][step])}` : ""
    mean.textContent = `mean ${decimal(summary[lane.n + step])}${own}`
  })
  if (!lane.values) return
  const values = valuesAt(lane, step)
  showCell(lane.drawing, values, `\u201c${shorten(stepper.words[step]).slice(0, 24)}\u201d`, stepper.palette)
  showEquations(lane.equations, values)
}
