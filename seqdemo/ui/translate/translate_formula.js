// The numbers of one step, in the order in which they are computed. What is recorded is shown as recorded;
// only the terms of its sums are worked out here.
import { element } from "../shared/js/elements.js"
import { button, decimal, MINUS } from "../shared/js/parts.js"
import { characterOf, pickCharacter } from "./translate.js"
import { seen } from "./translate_map.js"

const UNITS_SHOWN = 32

export function buildFormula(desk, parent) {
  desk.formula = element("section", "formula", parent)
  desk.formulaTitle = element("h3", "", desk.formula)
  desk.formulaLead = element("p", "lead", desk.formula)
  desk.parts = element("div", "parts", desk.formula)
  desk.unitsButton = button(desk.formula, "quiet", "", () => { desk.allUnits = !desk.allUnits; showFormula(desk) })
  desk.details = element("details", "numbers", desk.formula)
  element("summary", "", desk.details, "This step's weights as a table")
  desk.table = element("div", "table", desk.details)
  desk.details.ontoggle = () => showTable(desk)
}

function showTable(desk) {
  if (!desk.details.open || !desk.n) return
  const { header, arrays, cursor: i } = desk
  const n = header.characters.length
  desk.table.replaceChildren()
  const table = element("table", "", desk.table)
  element("caption", "", table, `Step ${i + 1}: ${header.written[i] || "end"}`)
  const head = element("tr", "", element("thead", "", table))
  for (const title of ["Position", "Character", "e", "Weight \u03b1"]) element("th", "", head, title).scope = "col"
  const body = element("tbody", "", table)
  header.characters.forEach((character, j) => {
    const row = element("tr", "", body)
    element("td", "number", row, String(j + 1))
    element("th", "", row, seen(character)).scope = "row"
    element("td", "number", row, decimal(arrays.energy[i * n + j], 6))
    element("td", "number", row, decimal(arrays.attention[i * n + j], 6))
  })
}

export function showFormula(desk) {
  const { header, arrays, cursor: i } = desk
  const [n, d, h] = [header.characters.length, header.d_attention, header.d_hidden]
  const j = characterOf(desk)
  const part = (name, index, size) => Array.from(arrays[name].subarray(index * size, (index + 1) * size))
  const [weight, energy] = [arrays.attention[i * n + j], arrays.energy[i * n + j]]
  const letter = `\u201c${seen(header.characters[j])}\u201d`
  const [now, before] = [sub(i + 1), sub(i)]
  const so_far = header.written.slice(0, i).join("")
  desk.formulaTitle.textContent = `Step ${i + 1} of ${desk.n}: how ${header.written[i] ? `\u201c${header.written[i]}\u201d` : "the end"} comes to be written`
  desk.formulaLead.textContent = `${so_far ? `\u201c${so_far}\u201d is written already.` : "Nothing is written yet."} The numbers below are for ${letter}, character ${j + 1} of your text; click another in the map or in part 2.`
  desk.parts.replaceChildren()
  const block = (title, says) => {
    const node = element("div", "block", desk.parts)
    element("h4", "", node, title)
    element("p", "says", node, says)
    return node
  }

  const compare = block("1  Compare", `e${now},${sub(j + 1)} = v\u1d40 tanh(W s${before} + U h${sub(j + 1)}): how well character ${j + 1} fits what is to be written next (energy).`)
  const [query, key] = [part("query", i, d), part("key", j, d)]
  const bent = query.map((value, u) => Math.tanh(value + key[u]))
  const products = bent.map((value, u) => value * arrays.v[u])
  strip(desk, compare, `W s${before}`, "what the decoder asks for", query, "query")
  strip(desk, compare, `U h${sub(j + 1)}`, `what the encoder knows at ${letter}`, key, "key")
  strip(desk, compare, "tanh(sum of both)", "between \u22121 and 1", bent, "tanh")
  strip(desk, compare, "v \u00d7 tanh(\u2026)", "each weighed by the learned v", products, "products")
  equation(compare, [`e${now},${sub(j + 1)} = sum of the ${d} products = `, ["energy", decimal(energy)]])

  const share = block("2  Share out", `\u03b1${now},\u2c7c = exp(e${now},\u2c7c) \u00f7 the sum of exp(e) over all characters (softmax): the weights of this row of the map.`)
  const energies = part("energy", i, n)
  const most = energies.reduce((a, b) => Math.max(a, b))
  const total = energies.reduce((sum, value) => sum + Math.exp(value - most), 0) * Math.exp(most)
  equation(share, [`\u03b1${now},${sub(j + 1)} = exp(`, ["energy", decimal(energy)], `) \u00f7 sum = ${plain(Math.exp(energy))} \u00f7 ${plain(total)} = `, ["weight", hundredths(weight)]])
  const row = element("div", "letters", share)
  header.characters.forEach((character, k) => {
    const cell = button(row, k === j ? "letter now" : "letter", "", () => {
      pickCharacter(desk, k)
      desk.parts.querySelectorAll(".letter")[k].focus() // all of this was drawn anew
    })
    cell.style.background = desk.palette.css(arrays.attention[i * n + k], 0.6)
    element("b", "", cell, seen(character))
    element("span", "", cell, decimal(energies[k]))
    element("span", "", cell, hundredths(arrays.attention[i * n + k]))
    cell.setAttribute("aria-label", `Character ${k + 1}, ${character}: e ${decimal(energies[k])}, weight ${hundredths(arrays.attention[i * n + k])}`)
  })
  element("p", "how", share, "Each box: the character, its e, its weight \u03b1.")

  const mix = block("3  Mix", `c${now} = \u03a3\u2c7c \u03b1${now},\u2c7c h\u2c7c: what the decoder is given of the whole text (context).`)
  const state = part("encoder", j, 2 * h)
  strip(desk, mix, `h${sub(j + 1)}`, `the encoder's state at ${letter}, forwards and backwards`, state, "encoder")
  strip(desk, mix, `${hundredths(weight)} \u00d7 h${sub(j + 1)}`, "its share", state.map((value) => value * weight), "shares")
  strip(desk, mix, `c${now}`, `all ${n} characters together`, part("context", i, 2 * h), "context")

  const write = block("4  Write", `s${now} = GRU(s${before}, [the character before; c${now}]); then softmax of a linear layer gives P(next character).`)
  strip(desk, write, `s${now}`, "the decoder's new state", part("state", i + 1, h), "state")
  const chances = part("probability", i, header.outputs.length)
  const list = element("div", "chances", write)
  chances.map((p, k) => [p, k]).filter(([, k]) => k > 0).sort((a, b) => b[0] - a[0]).slice(0, 5).forEach(([p, k]) => {
    const item = element("div", "chance", list)
    element("b", "", item, header.outputs[k])
    const bar = element("span", "bar", item)
    element("span", "filled", bar).style.width = `${100 * p}%`
    element("span", "value", item, hundredths(p))
  })
  showTable(desk)
  desk.unitsButton.textContent = desk.allUnits ? `Only the first ${UNITS_SHOWN} numbers of each strip` : "All numbers of each strip"
}

function equation(parent, pieces) {
  const line = element("p", "equation", parent)
  for (const piece of pieces) {
    if (typeof piece === "string") line.append(piece)
    else element("span", "term", line, piece[1]).dataset.term = piece[0]
  }
}

// A row of numbers, each on its colour, with the scale that the row itself needs.
function strip(desk, parent, symbol, says, values, name) {
  const bound = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  const head = element("div", "strip-head", parent)
  element("span", "symbol", head, symbol)
  const shown = desk.allUnits ? values : values.slice(0, UNITS_SHOWN)
  element("span", "", head, shown.length < values.length ? `${says}; the first ${shown.length} of ${values.length} numbers` : says)
  const scale = element("span", "scale", head)
  element("span", "", scale, `${MINUS}${decimal(bound)}`)
  element("span", "ramp", scale)
  element("span", "", scale, `+${decimal(bound)}`)
  const row = element("div", "cells", parent)
  row.dataset.strip = name
  for (const value of shown) element("span", "cell", row, decimal(value)).style.background = desk.palette.css(value / bound, 0.6)
}

export function hundredths(p) {
  return `${(100 * p).toFixed(2)}\u00a0%`
}

// A number of any size, to three digits.
function plain(value) {
  if (value >= 0.1 && value < 10_000) return decimal(value)
  const power = Math.floor(Math.log10(value))
  return `${(value / 10 ** power).toFixed(2)} \u00d7 10${raised(power)}`
}

function raised(power) {
  const high = ["\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074", "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"]
  return Array.from(String(power), (digit) => (digit === "-" ? "\u207b" : high[Number(digit)])).join("")
}

function sub(number) {
  return Array.from(String(number), (digit) => String.fromCharCode(0x2080 + Number(digit))).join("")
}
