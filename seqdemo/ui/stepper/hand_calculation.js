// A cell of two units and one number as input, worked out step by step from numbers that one can change.
import { inAddress, notThere, ownAddress } from "../shared/js/address.js"
import { element } from "../shared/js/elements.js"
import { button, decimal, MINUS, paletteOf } from "../shared/js/parts.js"
import { drawCell, flows, linkParts, showCell } from "./cell.js"
import { buildEquations, showEquations } from "./equations.js"

const toys = new WeakMap()
const INPUTS = [1, 0, 0, 0, 0]
const UNITS = [1, 2]
const ARROW_STEP = 0.1
const SETTLE_MS = 300
const LARGEST = 1e100 // beyond, products would leave what numbers can hold
const SUB = { 1: "\u2081", 2: "\u2082" }
const SIGMOID = (x) => 1 / (1 + Math.exp(-x))
const WEIGHTS = ["wx", "wh1", "wh2"]
const SAYS = {
  f: "Forget gate f", i: "Input gate i", o: "Output gate o", g: "Candidate g", r: "Reset gate r", z: "Update gate z", n: "Candidate n",
  c: "Cell state c", h: "Hidden state h",
}
const FIRST = "lstm-1-1"
const TOYS = {
  rnn: { label: "RNN", gates: ["h"], says: "As it starts, the 1 that came in fades at every step: each one multiplies it by a weight and squashes it again." },
  gru: { label: "GRU", gates: ["r", "z", "n"], says: "As it starts, the update gate z is near 1 while nothing comes in, so that h stays." },
  lstm: { label: "LSTM", gates: ["f", "i", "g", "o"], says: "As it starts, the forget gate f is near 1, so that c keeps what the first step wrote." },
}
const STARTS = {
  rnn: { h: [[1.5, 0.6, -0.2, 0], [-0.8, 0.3, 0.5, 0.1]] },
  gru: { r: [[0.5, 0, 0, 0.5], [0.3, 0.2, 0, 0.5]], z: [[-6, 0, 0, 3], [-4, 0.5, 0, 2]], n: [[2, 0.5, -0.3, 0, 0], [-1.5, 0.2, 0.4, 0, 0.1]] },
  lstm: {
    f: [[0, 0.2, 0, 4], [0, 0, 0.3, 2]], i: [[6, 0, 0.1, -3], [5, 0, 0, -2.5]],
    g: [[2, 0.3, 0, 0], [-1.5, 0, 0.4, 0.1]], o: [[0.5, 0.1, 0, 1], [0.5, 0, 0.2, 0.5]],
  },
}

export default function ({ parentElement }) {
  if (!toys.has(parentElement)) toys.set(parentElement, buildToy(parentElement))
  const toy = toys.get(parentElement)
  toy.palette = paletteOf(toy.frame)
  showToy(toy)
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => { if (!parentElement.isConnected) clearTimeout(toy.settling) }
}

// A GRU's candidate has two biases, since its reset gate stands between them (as in torch).
function columnsOf(cell, gate) {
  return cell === "gru" && gate === "n" ? [...WEIGHTS, "bx", "bh"] : [...WEIGHTS, "b"]
}

function buildToy(root) {
  const toy = { toAddress: ownAddress(), cell: "lstm", unit: 1, step: 0, settling: 0, inputs: [...INPUTS], weights: structuredClone(STARTS) }
  toy.frame = element("div", "frame", root)
  toy.frame.onkeydown = (event) => { if (event.key === "r" || event.key === "c") event.stopPropagation() } // Streamlit's own keys
  const settings = element("div", "settings", toy.frame)
  const cellLabel = element("label", "", settings, "Cell ")
  toy.cells = element("select", "", cellLabel)
  toy.cells.setAttribute("aria-label", "Cell")
  for (const [cell, { label }] of Object.entries(TOYS)) element("option", "", toy.cells, label).value = cell
  toy.cells.onchange = () => {
    toy.cell = toy.cells.value
    layOut(toy)
    showChosen(toy)
  }
  const unitLabel = element("label", "", settings, "Unit drawn ")
  toy.units = element("select", "", unitLabel)
  toy.units.setAttribute("aria-label", "Unit drawn")
  for (const unit of UNITS) element("option", "", toy.units, String(unit)).value = unit
  toy.units.onchange = () => { toy.unit = Number(toy.units.value); showChosen(toy) }
  button(settings, "quiet", "Reset numbers", () => {
    toy.weights[toy.cell] = structuredClone(STARTS[toy.cell])
    toy.inputs = [...INPUTS]
    layOut(toy)
    showChosen(toy)
  })
  const walk = element("div", "walk", toy.frame)
  toy.inputRow = element("div", "inputs", walk)
  toy.back = button(walk, "quiet", "Previous", () => { toy.step -= 1; showChosen(toy) })
  toy.next = button(walk, "quiet", "Next", () => { toy.step += 1; showChosen(toy) })
  toy.at = element("span", "at", walk)
  toy.at.setAttribute("role", "status")
  toy.says = element("p", "how", toy.frame)
  toy.refused = element("p", "how", toy.frame)
  toy.refused.setAttribute("role", "status")
  toy.problem = element("div", "problem", toy.frame)
  toy.problem.setAttribute("role", "status")
  const grid = element("div", "body-grid", toy.frame)
  const left = element("div", "", grid)
  toy.drawingAt = element("div", "", left)
  toy.tableAt = element("div", "weights", left)
  element("p", "how", left, "How to read this: h\u2081 and h\u2082 in the table are the states before this step; b is the bias.")
  toy.equationsAt = element("div", "", grid)
  goToLink(toy)
  toy.cells.value = toy.cell
  toy.units.value = toy.unit
  layOut(toy)
  return toy
}

// Where a link points to: `hand` is cell, unit and step, `hand_numbers` the inputs and all weights of this cell.
function goToLink(toy) {
  const [place, numbers] = [inAddress("hand"), inAddress("hand_numbers")]
  const [, cell, unit, step] = /^(rnn|gru|lstm)-([12])-([1-5])$/.exec(place) ?? []
  if (cell) Object.assign(toy, { cell, unit: Number(unit), step: Number(step) - 1 })
  else if (place) toy.refused.textContent = notThere("hand", place, "a cell, a unit and a step, as lstm-1-3")
  if (!numbers) return
  const flat = numbers.split(",").map(numberIn)
  const wanted = flattened(toy).length
  if (flat.length === wanted && !flat.includes(null)) {
    toy.inputs = flat.splice(0, INPUTS.length)
    toy.weights[toy.cell] = mapWeights(toy.weights[toy.cell], () => flat.shift())
  } else toy.refused.textContent = notThere("hand_numbers", numbers, `${wanted} numbers for the ${TOYS[toy.cell].label}`)
}

function mapWeights(gates, change) {
  return Object.fromEntries(Object.entries(gates).map(([gate, units]) => [gate, units.map((row) => row.map(change))]))
}

function flattened({ cell, inputs, weights }) {
  return [...inputs, ...Object.values(weights[cell]).flat(2)]
}

// The address opens the same numbers again; those that it starts with need none.
function remember(toy) {
  clearTimeout(toy.settling)
  toy.settling = setTimeout(() => {
    const place = `${toy.cell}-${toy.unit}-${toy.step + 1}`
    const numbers = flattened(toy).join(",")
    const usual = flattened({ cell: toy.cell, inputs: INPUTS, weights: STARTS }).join(",")
    toy.toAddress({ hand: place === FIRST ? "" : place, hand_numbers: numbers === usual ? "" : numbers })
  }, SETTLE_MS)
}

// What someone chose or typed.
function showChosen(toy) {
  toy.refused.textContent = ""
  showToy(toy)
  remember(toy)
}

function layOut(toy) {
  toy.inputRow.replaceChildren()
  toy.inputLabels = toy.inputs.map((value, step) => {
    const label = element("label", "", toy.inputRow, `x step ${step + 1}`)
    numberField(toy, label, `Input of step ${step + 1}`, value, (changed) => { toy.inputs[step] = changed })
    return label
  })
  toy.drawingAt.replaceChildren()
  toy.equationsAt.replaceChildren()
  toy.tableAt.replaceChildren()
  toy.drawing = drawCell(toy.drawingAt, toy.cell, `Cell of the ${TOYS[toy.cell].label} with two units`)
  toy.says.textContent = TOYS[toy.cell].says
  buildWeights(toy)
  toy.equations = buildEquations(toy.equationsAt, UNITS.flatMap((unit) => termByTerm(toy.cell, unit)))
  linkParts([toy.drawing.svg, toy.equations.list])
  showProblem(toy)
}

// A text field, since a number field knows no decimal comma and no true minus, and calls wrong what is not on its steps.
function numberField(toy, parent, name, value, take) {
  const field = element("input", "", parent)
  field.value = value
  field.setAttribute("aria-label", name)
  field.oninput = () => {
    const typed = numberIn(field.value)
    field.setAttribute("aria-invalid", typed === null)
    showProblem(toy)
    if (typed === null) return
    take(typed)
    showChosen(toy)
  }
  field.onkeydown = (event) => {
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key]
    const typed = numberIn(field.value)
    if (!up || typed === null) return
    event.preventDefault()
    field.value = Number((typed + up * ARROW_STEP).toFixed(6))
    field.oninput()
  }
  return field
}

// The number that a text stands for, or null.
function numberIn(text) {
  const plain = text.trim().replace(/^[\u2012-\u2015\u2212\ufe63\uff0d]/, "-").replace(/^([^.,]*),([^.,]*)$/, "$1.$2")
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN
  return Math.abs(value) <= LARGEST ? value : null
}

function showProblem(toy) {
  const field = toy.frame.querySelector("[aria-invalid=true]")
  toy.problem.textContent = field
    ? `${field.getAttribute("aria-label")} needs a number, for example ${MINUS}1.25; the last good one is still used.` : ""
}

function buildWeights(toy) {
  const names = { wx: "\u00d7 x", wh1: "\u00d7 h\u2081", wh2: "\u00d7 h\u2082", b: "+ b", bx: "+ b of x", bh: "+ b of h" }
  const table = element("table", "", toy.tableAt)
  const head = element("tr", "", element("thead", "", table))
  const widest = toy.cell === "gru" ? [...WEIGHTS, "bx", "bh"] : [...WEIGHTS, "b"]
  for (const title of ["", ...widest.map((key) => names[key])]) element("th", "", head, title).scope = "col"
  const body = element("tbody", "", table)
  for (const gate of TOYS[toy.cell].gates) {
    for (const unit of UNITS) {
      const row = element("tr", "", body)
      element("th", "", row, `${gate}${SUB[unit]}`).scope = "row"
      columnsOf(toy.cell, gate).forEach((key, at) => {
        numberField(toy, element("td", "", row), `${gate}${unit} ${key}`, toy.weights[toy.cell][gate][unit - 1][at], (value) => {
          toy.weights[toy.cell][gate][unit - 1][at] = value
        })
      })
    }
  }
}

// Every product and addend of one unit, as a template for the equations.
function termByTerm(cell, unit) {
  const s = SUB[unit]
  const own = (gate) => `${gate}${unit}`
  const states = (gate) => `{+${own(gate)}.wh1:h_prev} \u00d7 {*h1_prev:h_prev}{+${own(gate)}.wh2:h_prev} \u00d7 {*h2_prev:h_prev}`
  const squashed = (gate, squash) => ({
    name: own(gate), says: `${SAYS[gate]} of unit ${unit}`,
    text: `${gate}${s} = ${squash}({${own(gate)}.wx:x} \u00d7 {*x:x}${states(gate)}{+${own(gate)}.b:${cell === "rnn" ? "b" : gate}})` +
      ` = ${squash}({${own(gate)}.sum:${cell === "rnn" ? "b" : gate}}) = {${own(gate)}:${gate}}`,
  })
  if (cell === "rnn") return [squashed("h", "tanh")]
  const product = (a, b, c, d) => `{${own(a)}:${a}} \u00d7 {*${own(b)}:${b}} + {${own(c)}:${c}} \u00d7 {*${own(d)}:${d}}`
  if (cell === "gru") {
    const n = own("n")
    return [squashed("r", "\u03c3"), squashed("z", "\u03c3"), {
      name: n, says: `${SAYS.n} of unit ${unit}`,
      text: `n${s} = tanh({${n}.wx:x} \u00d7 {*x:x}{+${n}.bx:n} + {${own("r")}:r} \u00d7 ({${n}.wh1:h_prev} \u00d7 {*h1_prev:h_prev}` +
        `{+${n}.wh2:h_prev} \u00d7 {*h2_prev:h_prev}{+${n}.bh:n})) = tanh({${n}.sum:n}) = {${n}:n}`,
    }, {
      name: own("h"), says: `${SAYS.h} of unit ${unit}: (1 \u2212 z) \u00d7 n + z \u00d7 h before`,
      text: `h${s} = {not_z${unit}:z} \u00d7 {*${n}:n} + {${own("z")}:z} \u00d7 {*h${unit}_prev:h_prev} = {${own("h")}:h}`,
    }]
  }
  return [squashed("f", "\u03c3"), squashed("i", "\u03c3"), squashed("g", "tanh"), {
    name: own("c"), says: `${SAYS.c} of unit ${unit}: f \u00d7 c before + i \u00d7 g`,
    text: `c${s} = ${product("f", "c_prev", "i", "g").replaceAll(`c_prev${unit}`, `c${unit}_prev`)} = {${own("c")}:c}`,
  }, squashed("o", "\u03c3"), {
    name: own("h"), says: `${SAYS.h} of unit ${unit}: o \u00d7 tanh(c)`,
    text: `h${s} = {${own("o")}:o} \u00d7 {*tanh_c${unit}:h} = {${own("h")}:h}`,
  }]
}

// All steps of both units: a list of {key: number} by the names in the templates.
function calculate(cell, weights, inputs) {
  const steps = []
  let h = [0, 0]
  let c = [0, 0]
  for (const x of inputs) {
    const at = { x, h1_prev: h[0], h2_prev: h[1], c1_prev: c[0], c2_prev: c[1] }
    const next = { h: [], c: [] }
    for (const unit of UNITS) {
      const k = unit - 1
      const squash = (gate, how) => {
        const [wx, wh1, wh2, b] = weights[gate][k]
        const sum = wx * x + wh1 * h[0] + wh2 * h[1] + b
        Object.assign(at, { [`${gate}${unit}.wx`]: wx, [`${gate}${unit}.wh1`]: wh1, [`${gate}${unit}.wh2`]: wh2, [`${gate}${unit}.b`]: b, [`${gate}${unit}.sum`]: sum })
        return (at[`${gate}${unit}`] = how(sum))
      }
      if (cell === "rnn") next.h[k] = squash("h", Math.tanh)
      else if (cell === "gru") {
        const r = squash("r", SIGMOID)
        const z = squash("z", SIGMOID)
        const [wx, wh1, wh2, bx, bh] = weights.n[k]
        const sum = wx * x + bx + r * (wh1 * h[0] + wh2 * h[1] + bh)
        const n = Math.tanh(sum)
        const name = `n${unit}`
        Object.assign(at, { [`${name}.wx`]: wx, [`${name}.wh1`]: wh1, [`${name}.wh2`]: wh2, [`${name}.bx`]: bx, [`${name}.bh`]: bh, [`${name}.sum`]: sum, [name]: n, [`not_z${unit}`]: 1 - z })
        next.h[k] = (1 - z) * n + z * h[k]
      } else {
        const f = squash("f", SIGMOID)
        const i = squash("i", SIGMOID)
        const g = squash("g", Math.tanh)
        const o = squash("o", SIGMOID)
        next.c[k] = f * c[k] + i * g
        at[`c${unit}`] = next.c[k]
        at[`tanh_c${unit}`] = Math.tanh(next.c[k])
        next.h[k] = o * Math.tanh(next.c[k])
      }
      at[`h${unit}`] = next.h[k]
    }
    h = next.h
    c = cell === "lstm" ? next.c : c
    steps.push(at)
  }
  return steps
}

function showToy(toy) {
  toy.step = Math.min(Math.max(toy.step, 0), toy.inputs.length - 1)
  const all = calculate(toy.cell, toy.weights[toy.cell], toy.inputs)
  const at = all[toy.step]
  showEquations(toy.equations, at)
  const own = {}
  for (const name of [...TOYS[toy.cell].gates, "h", "c"]) {
    own[name] = at[`${name}${toy.unit}`]
    own[`${name}_prev`] = at[`${name}${toy.unit}_prev`]
  }
  toy.drawing.scale = Math.max(1, ...all.map((step) => Math.abs(step[`c${toy.unit}`] ?? 0)))
  showCell(toy.drawing, flows(toy.cell, own), decimal(at.x), toy.palette)
  toy.inputLabels.forEach((label, step) => label.classList.toggle("now", step === toy.step))
  toy.back.disabled = toy.step === 0
  toy.next.disabled = toy.step === toy.inputs.length - 1
  toy.at.textContent = `step ${toy.step + 1} of ${toy.inputs.length}`
}
