// The formula with the numbers of one word and one head, in the order in which they are computed.
import { element, shorten } from "../shared/js/elements.js"
import { button, decimal, MINUS } from "../shared/js/parts.js"
import { pick } from "./attention.js"
import { showBlock } from "./attention_block.js"
import { WINDOW } from "./attention_views.js"
import { largest, quoted, ranked, share, slice, stepsOf } from "./attention_weights.js"

const SHOWN_ROWS = 12
const STEPS = [
  { name: "products", title: "q·k", says: "how well the word's question fits the other word's answer" },
  { name: "scaled", title: "÷ √d", says: "made smaller, so that softmax does not saturate" },
  { name: "mask", title: "mask", says: "0: may be looked at" },
  { name: "weights", title: "softmax", says: "shares that sum to 100 %" },
]

export function buildFormula(desk, parent) {
  const formula = { root: element("section", "formula", parent) }
  formula.title = element("h3", "", formula.root)
  formula.lead = element("p", "lead", formula.root)
  formula.parts = element("div", "parts", formula.root)
  formula.block = element("div", "block", formula.parts)
  formula.numbers = element("div", "numbers", formula.parts)
  formula.pair = element("div", "step", formula.numbers)
  formula.scores = element("div", "step", formula.numbers)
  formula.sum = element("div", "step", formula.numbers)
  return formula
}

export function showFormula(desk) {
  const { formula, header, n } = desk
  const { layer, head, word } = desk
  const key = keyOfHead(desk)
  const d = header.d_head
  const steps = stepsOf(desk, layer, head, word)
  const [q, k, v] = ["query", "key", "value"].map((name) => slice(desk, name, layer, head))
  const part = (array, index) => array.subarray(index * d, (index + 1) * d)
  formula.title.textContent = `How ${quoted(desk, word)} comes to look at ${quoted(desk, key)}: layer ${layer + 1}, head ${head + 1}, number by number`
  formula.lead.textContent = desk.what === "head" ? "" : `${desk.what === "mean" ? "A mean" : "Rollout"} has no formula of this kind; these are the numbers of layer ${layer + 1}, head ${head + 1}, picked last.`

  const { pair, scores, sum } = formula
  pair.replaceChildren()
  element("h4", "", pair, "1  Query times key: q·k")
  const [mine, theirs] = [part(q, word), part(k, key)]
  const multiplied = Array.from(mine, (value, u) => value * theirs[u])
  strip(desk, pair, "q", `query of ${quoted(desk, word)}: what it asks for`, mine)
  strip(desk, pair, "k", `key of ${quoted(desk, key)}: what it answers to`, theirs)
  strip(desk, pair, "q × k", "entry by entry", multiplied)
  equation(pair, [`q·k = sum of the ${d} products = `, ["products", decimal(steps.products[key])]])

  scores.replaceChildren()
  element("h4", "", scores, "2 to 4  Divided by √d, masked, softmax")
  const ownScore = decimal(steps.scaled[key])
  const [power, total] = [Math.exp(steps.scaled[key]), Math.exp(steps.most) * steps.total]
  equation(scores, [`q·k ÷ √${d} = `, ["products", decimal(steps.products[key])], ` ÷ ${decimal(Math.sqrt(d))} = `, ["scaled", ownScore]])
  equation(scores, ["softmax = e", ["", "score", "sup"], " ÷ the sum of e", ["", "score", "sup"], " over all words = e", ["scaled", ownScore, "sup"], ` ÷ sum = ${plain(power)} ÷ ${plain(total)} = `, ["weights", percents(steps.weights[key])]])
  scoreTable(desk, scores, steps, key)

  sum.replaceChildren()
  element("h4", "", sum, "5  Sum of the values, weighted")
  const values = part(v, key)
  strip(desk, sum, "v", `value of ${quoted(desk, key)}: what it hands over`, values)
  strip(desk, sum, `${percents(steps.weights[key])} × v`, `what ${quoted(desk, word)} takes of it`, Array.from(values, (value) => value * steps.weights[key]))
  strip(desk, sum, "Σ weight × v", `over all ${n} words: what this head passes on for ${quoted(desk, word)}`, mixed(steps.weights, v, d))
  showBlock(desk)
}

// The word that is looked at in the formula's own head, also where a mean is on screen.
function keyOfHead(desk) {
  if (desk.key !== null) return desk.key
  return ranked(stepsOf(desk, desk.layer, desk.head, desk.word).weights)[0]
}

function mixed(weights, v, d) {
  return Array.from({ length: d }, (_, u) => weights.reduce((sum, weight, j) => sum + weight * v[j * d + u], 0))
}

// A number of any size, to three digits.
function plain(value) {
  if (value >= 0.1 && value < 10_000) return decimal(value)
  const power = Math.floor(Math.log10(value))
  const raised = Array.from(String(power), (digit) => ({ "-": "\u207b", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3" })[digit] ?? String.fromCharCode(0x2070 + Number(digit)))
  return `${(value / 10 ** power).toFixed(2)} \u00d7 10${raised.join("")}`
}

function percents(weight) {
  return `${(100 * weight).toFixed(2)}\u00a0%`
}

function equation(parent, pieces) {
  const line = element("p", "equation", parent)
  for (const piece of pieces) {
    if (typeof piece === "string") line.append(piece)
    else {
      const [name, text, tag = "span"] = piece
      element(tag, name && "term", line, text).dataset.term = name
    }
  }
}

// A row of numbers, each on its colour, with the scale that the row itself needs.
function strip(desk, parent, symbol, says, values) {
  const bound = largest(Array.from(values, Math.abs)) || 1
  const head = element("div", "strip-head", parent)
  element("span", "symbol", head, symbol)
  element("span", "", head, says)
  legend(head, bound)
  const row = element("div", "cells", parent)
  row.dataset.strip = symbol.replace(/^[\d.]+\u00a0%/, "weight")
  for (const value of values) element("span", "cell", row, decimal(value)).style.background = desk.palette.css(value / bound, 0.6)
}

function legend(parent, bound) {
  const node = element("span", "scale", parent)
  element("span", "", node, `${MINUS}${decimal(bound)}`)
  element("span", "ramp signed", node)
  element("span", "", node, `+${decimal(bound)}`)
}

// One row a word: its score on every step to its weight.
function scoreTable(desk, parent, steps, key) {
  const { n, header } = desk
  const order = ranked(steps.weights)
  const most = desk.allRows ? Math.min(n, WINDOW) : Math.min(n, SHOWN_ROWS)
  const shown = order.slice(0, most)
  if (!shown.includes(key)) shown.push(key)
  const rest = order.filter((j) => !shown.includes(j))
  const box = element("div", "scores", parent)
  const table = element("table", "", box)
  element("caption", "spoken", table, `Scores and weights of ${quoted(desk, desk.word)}`)
  const head = element("tr", "", element("thead", "", table))
  element("th", "", head, "looks at").scope = "col"
  const bounds = {}
  for (const { name, title, says } of STEPS) {
    const cell = element("th", "number", head)
    cell.scope = "col"
    cell.title = says
    element("div", "", cell, name === "scaled" ? `÷ √${header.d_head}` : title)
    if (name === "mask") {
      element("div", "range", cell, "0 or \u2212\u221e")
      continue
    }
    bounds[name] = largest(Array.from(steps[name], Math.abs)) || 1
    const low = name === "weights" ? "0" : decimal(-bounds[name], 1)
    element("div", "range", cell, `${low} to ${name === "weights" ? share(bounds[name]) : decimal(bounds[name], 1)}`)
    element("div", name === "weights" ? "ramp" : "ramp signed", cell)
  }
  const body = element("tbody", "", table)
  for (const j of shown) {
    const row = element("tr", j === key ? "now" : "", body)
    row.dataset.index = j
    const name = element("th", "", row)
    name.scope = "row"
    button(name, "key", `${shorten(desk.words[j], 18)}`, () => pick(desk, { key: j })).setAttribute("aria-label", `Take ${desk.words[j]}, word ${j + 1}, as the word looked at`)
    element("span", "place", name, String(j + 1))
    for (const { name: step } of STEPS) {
      const text = step === "mask" ? "+ 0" : step === "weights" ? percents(steps.weights[j]) : decimal(steps[step][j])
      const cell = element("td", "number", row, text)
      if (step !== "mask") cell.style.background = desk.palette.css(steps[step][j] / bounds[step], 0.6)
    }
  }
  if (rest.length) {
    const row = element("tr", "rest", body)
    element("th", "", row, `${rest.length} more ${rest.length === 1 ? "word" : "words"}, together`).colSpan = STEPS.length
    element("td", "number", row, percents(rest.reduce((sum, j) => sum + steps.weights[j], 0)))
  }
  if (n > SHOWN_ROWS) {
    button(parent, "quiet", desk.allRows ? "Fewer words" : n > WINDOW ? `The ${WINDOW} largest` : "All words", () => { desk.allRows = !desk.allRows; showFormula(desk) })
  }
  element("p", "how", parent,
    "How to read this: from left to right, what becomes of each word's score; the words with the largest weights first. The padding mask would add " +
    `${MINUS}\u221e, and so leave no weight, where a shorter text is filled up to read several at once. Here every word is real, so it adds 0.`)
}
