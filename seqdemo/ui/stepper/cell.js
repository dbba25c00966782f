// One drawing for each architecture. Pipes are as thick as what flows through them and have its sign's
// colour; valves open with their gate; dashed lines only control. `data-part` names what a part stands for,
// so that a term in an equation and its part of the drawing can mark each other.
import { shape } from "../shared/js/elements.js"
import { decimal } from "../shared/js/parts.js"

const PIPE_PX = 16

export function drawCell(parent, cell, title, when = "\u209c\u208b\u2081") {
  const svg = shape("svg", parent, { viewBox: "0 0 440 272", class: "cell", role: "img", "aria-label": title })
  const drawing = { svg, cell, pipes: [], valves: [], texts: [], scale: 1, before: (name) => `${name}${when} ` }
  shape("rect", svg, { x: 46, y: 16, width: 352, height: 216, rx: 14, class: "body" })
  const draw = { rnn: drawRnn, gru: drawGru, lstm: drawLstm }[cell]
  draw(drawing)
  return drawing
}

function drawLstm(d) {
  buses(d, 312, [108, 176, 232, 312])
  pipe(d, "M6 58H94", "c_prev", "c_prev")
  pipe(d, "M122 58H219", "kept", "f c_prev")
  pipe(d, "M245 58H434", "c", "c")
  pipe(d, "M232 170V136", "g", "g")
  pipe(d, "M232 108V71", "written", "i g")
  pipe(d, "M346 58V80", "c", "c")
  pipe(d, "M346 106V136", "tanh_c", "c h")
  pipe(d, "M346 164V220H434", "h", "h")
  control(d, "M108 170V72", "f")
  control(d, "M176 170V122H218", "i")
  control(d, "M312 170V150H332", "o")
  valve(d, 108, 58, "f", true, "kept")
  valve(d, 232, 122, "i", false, "written")
  valve(d, 346, 150, "o", false, "h")
  plus(d, 232, 58, "c")
  box(d, 108, "\u03c3", "f")
  box(d, 176, "\u03c3", "i")
  box(d, 232, "tanh", "g")
  box(d, 312, "\u03c3", "o")
  box(d, 346, "tanh", "c", 93, 22)
  value(d, 4, 34, d.before("c"), "c_prev", "start")
  value(d, 436, 34, "c ", "c", "end")
  value(d, 116, 100, "f ", "f", "start")
  value(d, 252, 112, "i ", "i", "start")
  value(d, 244, 162, "g ", "g", "start")
  value(d, 362, 178, "o ", "o", "start")
  value(d, 436, 206, "h ", "h", "end")
}

function drawGru(d) {
  buses(d, 280, [84, 150, 280])
  pipe(d, "M6 58H106", "h_prev", "h_prev")
  pipe(d, "M134 58H267", "kept", "z h_prev")
  pipe(d, "M293 58H434", "h", "h")
  pipe(d, "M280 170V136", "n", "n")
  pipe(d, "M280 108V71", "written", "z n")
  control(d, "M84 170V122H266", "z")
  control(d, "M84 122V92H120V72", "z")
  control(d, "M150 170V154H190V209", "r")
  valve(d, 120, 58, "z", true, "kept")
  valve(d, 280, 122, "not_z", false, "written", "z")
  valve(d, 190, 220, "r", true, null, "r", 11)
  plus(d, 280, 58, "h")
  box(d, 84, "\u03c3", "z")
  box(d, 150, "\u03c3", "r")
  box(d, 280, "tanh", "n")
  value(d, 4, 34, d.before("h"), "h_prev", "start")
  value(d, 436, 34, "h ", "h", "end")
  value(d, 140, 92, "z ", "z", "start")
  value(d, 302, 127, "1 \u2212 z ", "not_z", "start", "z")
  value(d, 197, 192, "r ", "r", "start")
  value(d, 302, 160, "n ", "n", "start")
}

function drawRnn(d) {
  buses(d, 222, [222])
  pipe(d, "M222 170V58H434", "h", "h")
  box(d, 222, "tanh", "b")
  value(d, 436, 34, "h ", "h", "end")
  const text = shape("text", d.svg, { x: 64, y: 50, class: "aside" })
  text.textContent = "no gates:"
  shape("text", d.svg, { x: 64, y: 70, class: "aside" }).textContent = "all of h is"
  shape("text", d.svg, { x: 64, y: 90, class: "aside" }).textContent = "written anew"
}

// The word and the state before come in below and lead to every box.
function buses(d, to, boxes) {
  const h = group(d, "h_prev")
  shape("path", h, { d: `M6 220H${to - 6}${boxes.map((x) => `M${x - 6} 220V198`).join("")}`, class: "wire" })
  const x = group(d, "x")
  shape("path", x, { d: `M30 262V242H${to + 6}${boxes.map((at) => `M${at + 6} 242V198`).join("")}`, class: "wire" })
  for (const at of boxes) shape("circle", x, { cx: at + 6, cy: 242, r: at === to ? 0 : 2.5, class: "joint" })
  for (const at of boxes) shape("circle", h, { cx: at - 6, cy: 220, r: at === to ? 0 : 2.5, class: "joint" })
  if (d.cell !== "gru") value(d, 4, 210, d.before("h"), "h_prev", "start")
  else shape("text", h, { x: 4, y: 210 }).textContent = d.before("h")
  d.word = shape("text", x, { x: 40, y: 266 })
}

function group(d, part) {
  return shape("g", d.svg, { "data-part": part, class: "part" })
}

function pipe(d, path, key, part) {
  const at = group(d, part)
  shape("path", at, { d: path, class: "hit" })
  d.pipes.push({ key, node: shape("path", at, { d: path, class: "pipe" }) })
}

function control(d, path, part) {
  const at = group(d, part)
  shape("path", at, { d: path, class: "hit" })
  shape("path", at, { d: path, class: "control" })
}

function plus(d, x, y, part) {
  const at = group(d, part)
  shape("circle", at, { cx: x, cy: y, r: 13, class: "node" })
  shape("path", at, { d: `M${x - 6} ${y}H${x + 6}M${x} ${y - 6}V${y + 6}`, class: "sign" })
}

function box(d, x, text, part, y = 184, height = 28) {
  const width = text.length > 1 ? 48 : 36
  const at = group(d, part)
  shape("rect", at, { x: x - width / 2, y: y - height / 2, width, height, rx: 5, class: "node" })
  shape("text", at, { x, y: y + 5, "text-anchor": "middle" }).textContent = text
}

// Two plates that meet when the gate is 0 and are gone when it is 1: the opening is the gate's value.
function valve(d, x, y, key, across, flow, part = key, r = 14) {
  const at = group(d, part)
  shape("circle", at, { cx: x, cy: y, r, class: "node" })
  const path = across ? `M${x - r} ${y}H${x + r}` : `M${x} ${y - r}V${y + r}`
  if (flow) d.pipes.push({ key: flow, node: shape("path", at, { d: path, class: "pipe" }) }) // what gets through
  else shape("path", at, { d: path, class: "wire" })
  const plates = [-1, 1].map((end) => shape("path", at, { class: "plate", "data-end": end }))
  shape("circle", at, { cx: x, cy: y, r, class: "ring" })
  d.valves.push({ key, x, y, r, across, plates })
}

// The circle's segments that are closed, as paths: no clipping is needed.
function plateOf({ x, y, r, across }, end, open) {
  const edge = r * Math.min(Math.max(open, 0), 1)
  const half = Math.sqrt(Math.max(r * r - edge * edge, 0))
  return across
    ? `M${x - half} ${y + end * edge}A${r} ${r} 0 0 ${end > 0 ? 0 : 1} ${x + half} ${y + end * edge}Z`
    : `M${x + end * edge} ${y - half}A${r} ${r} 0 0 ${end > 0 ? 1 : 0} ${x + end * edge} ${y + half}Z`
}

function value(d, x, y, label, key, anchor, part = key) {
  const at = group(d, part)
  const text = shape("text", at, { x, y, "text-anchor": anchor, class: "value" })
  text.append(label)
  d.texts.push({ key, node: shape("tspan", text, { class: "number" }) })
}

// Puts one step's numbers in. `word` is what x stands for.
export function showCell(drawing, values, word, palette) {
  const { pipes, valves, texts, scale } = drawing
  for (const { key, node } of pipes) {
    node.style.strokeWidth = 1.5 + PIPE_PX * Math.min(Math.abs(values[key]) / scale, 1)
    node.style.stroke = values[key] ? palette.css(Math.sign(values[key])) : "var(--st-text-color)"
  }
  for (const valve of valves) {
    const open = values[valve.key]
    for (const plate of valve.plates) plate.setAttribute("d", plateOf(valve, Number(plate.dataset.end), open))
  }
  for (const { key, node } of texts) node.textContent = decimal(values[key])
  drawing.word.textContent = `x = ${word}`
}

// What flows where, from what the equations give.
export function flows(cell, values) {
  if (cell === "lstm") {
    const { f, i, g, c, c_prev } = values
    return { ...values, kept: f * c_prev, written: i * g, tanh_c: Math.tanh(c) }
  }
  if (cell === "gru") {
    const { z, n, h_prev } = values
    return { ...values, not_z: 1 - z, kept: z * h_prev, written: (1 - z) * n }
  }
  return values
}

// Pointing at a term or at a part of the drawing marks whatever shares one of its names, in all of these.
export function linkParts(roots) {
  let marked = ""
  const mark = (event) => {
    const found = event.type === "pointerleave" ? null : event.target.closest?.("[data-part]")
    const key = found?.dataset.part ?? ""
    if (marked === key) return
    marked = key
    const parts = key.split(" ")
    for (const root of roots) {
      for (const node of root.querySelectorAll("[data-part]")) {
        node.classList.toggle("marked", key !== "" && node.dataset.part.split(" ").some((name) => parts.includes(name)))
      }
    }
  }
  for (const root of roots) {
    root.addEventListener("pointerover", mark)
    root.addEventListener("pointerleave", mark)
  }
}
