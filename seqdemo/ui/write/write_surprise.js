// How surprised each model is by every word of the text in the box: a line a model, and a row of words each, the stronger
// the colour the more surprised. One cursor stands in all of them.
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"
import { buildNumbers } from "../shared/js/tables.js"
import { buildColumn } from "./write_column.js"
import { buildSurpriseChart, moveChart, saveSurprise, showSurpriseChart } from "./write_surprise_chart.js"
import { shareOf } from "./write_texts.js"

export function buildSurprise(desk, parent) {
  const { writers, counting } = desk.data
  const part = element("section", "surprise", parent)
  desk.surprise = { part, rows: {}, answer: null }
  desk.surprise.title = element("h2", "title", part)
  desk.surprise.chart = buildSurpriseChart(part, counting, (at) => showBitsAt(desk, at))
  for (const writer of writers) {
    const row = buildColumn(part, "row", writer, `How surprised the ${writer.label} is`)
    desk.surprise.rows[writer.name] = {
      now: element("span", "now", row.firstChild), words: element("p", "read", row), says: element("p", "rest", row), nodes: [],
    }
  }
  element("p", "how", part,
    `How to read this: the higher the line, and the stronger the colour of a word, the less likely the model held it, having read those before it; 1 bit is a chance of one half, 10 bits of one in a thousand. Words struck out are unknown.${counting ? ` Counting: what the counts of runs of five words come to on average on real reviews, ${counting.toFixed(1)} bits.` : ""}`)
  desk.surprise.numbers = buildNumbers(part, { caption: "Bits of surprise", file: "surprise.csv", read: () => bitsOf(desk) })
  button(desk.surprise.numbers.details, "quiet", "Save chart as SVG", () => saveSurprise(desk.surprise.chart))
}

export function showSurprise(desk, answer) {
  const { part, rows, title, chart, numbers } = desk.surprise
  desk.surprise.answer = answer
  part.classList.remove("stale")
  part.hidden = answer.words.length === 0
  if (part.hidden) return
  title.textContent = answer.title
  for (const [name, row] of Object.entries(rows)) {
    row.words.replaceChildren()
    const found = answer.models[name]
    row.says.textContent = found?.says ?? ""
    const unknown = new Set(found?.unknown)
    row.nodes = (found?.bits ?? []).map((bits, k) => {
      if (k) row.words.append(" ")
      const word = element("span", unknown.has(k) ? "read-word unknown" : "read-word", row.words, answer.words[k])
      word.style.setProperty("--share", shareOf(bits))
      word.title = `${bits.toFixed(1)} bits`
      word.onpointerenter = () => { moveChart(chart, k) }
      return word
    })
  }
  showSurpriseChart(chart, answer.words, thereOf(desk).map((writer) => ({ ...writer, bits: answer.models[writer.name].bits })))
  numbers.fill()
}

function thereOf({ data: { writers }, surprise: { answer } }) {
  return writers.filter(({ name }) => answer?.models[name])
}

function showBitsAt({ surprise: { rows, answer } }, at) {
  for (const [name, { now, nodes }] of Object.entries(rows)) {
    nodes.forEach((node, k) => node.classList.toggle("now-read", k === at))
    now.textContent = nodes.length ? `${answer.models[name].bits[at].toFixed(1)} bits at \u201c${answer.words[at]}\u201d` : ""
  }
}

function bitsOf(desk) {
  const { answer } = desk.surprise
  const there = thereOf(desk)
  const rows = (answer?.words ?? []).map((word, k) => [word, ...there.map(({ name }) => answer.models[name].bits[k])])
  return { titles: ["Word", ...there.map(({ label }) => label)], rows }
}
