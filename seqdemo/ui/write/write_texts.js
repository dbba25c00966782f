// What each model wrote: its words as far as the cursor, the stronger their colour the more surprising to itself. A word
// is a button that leads back to before it.
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"
import { buildNumbers } from "../shared/js/tables.js"
import { buildColumn } from "./write_column.js"

const MOST_BITS = 12 // a word this surprising is as strong as it gets
const STRONGEST = 45 // per cent

export function buildTexts(desk, parent, goBack) {
  const columns = element("div", "columns", parent)
  desk.columns = {}
  for (const writer of desk.data.writers) {
    const column = buildColumn(columns, "column", writer, `What the ${writer.label} writes`)
    const words = element("div", "words", column)
    const about = element("p", "about", column)
    const says = element("p", "rest", column)
    desk.columns[writer.name] = { words, about, says, nodes: [], goBack }
  }
  element("p", "how", parent,
    "How to read this: the stronger the colour of a word, the less likely its own model held it. Point at one to see what else it could have been; press it to go back to there and take another: both ways stay.")
  desk.numbers = buildNumbers(parent, { caption: "What was written", file: "written.csv", summary: "The texts as a table", read: () => numbersOf(desk) })
}

function numbersOf({ texts, data: { writers } }) {
  const there = writers.filter(({ name }) => texts[name])
  const rows = there.flatMap(({ name, label }) =>
    texts[name].words.map(({ text, p, bits }, k) => [`${label}, word ${k + 1}`, text, Number(p.toPrecision(4)), bits, texts[name].kept[k] ?? ""]))
  return { titles: ["Model", "Word", "Probability", "Bits", "Kept of its state"], rows }
}

export function clearTexts({ columns }) {
  for (const { words, about, says } of Object.values(columns)) {
    words.replaceChildren()
    about.textContent = says.textContent = "\u00a0"
  }
}

export function showTexts(desk) {
  clearTexts(desk)
  desk.numbers.fill()
  for (const [name, column] of Object.entries(desk.columns)) {
    const found = desk.texts[name]
    column.nodes = []
    if (!found) continue
    column.says.textContent = found.says
    element("span", "begun", column.words, tail(desk.area.value))
    column.nodes = found.words.map(({ text, written, bits, percent, instead }, k) => {
      column.words.append(written.startsWith(" ") ? " " : "\u2060") // no line begins with a full stop
      const node = button(column.words, "written", text, () => column.goBack(desk, name, k))
      node.style.setProperty("--share", shareOf(bits))
      node.setAttribute("aria-label", `${text}, ${percent}. Go back to before it`)
      node.onpointerenter = node.onfocus = () => { column.about.textContent = `\u201c${text}\u201d ${percent}. Instead: ${instead}` }
      return node
    })
  }
}

export function showWritten({ columns, cursor }) {
  for (const { nodes } of Object.values(columns)) {
    nodes.forEach((node, k) => {
      node.hidden = k > cursor
      node.classList.toggle("newest", k === cursor)
    })
  }
}

// How strong the colour of a word is that is so surprising.
export function shareOf(bits) {
  return `${Math.min(bits / MOST_BITS, 1) * STRONGEST}%`
}

// The last words of the beginning, to read on from.
export function tail(text, most = 60) {
  return text.length > most ? `\u2026${text.slice(-most)}` : text
}
