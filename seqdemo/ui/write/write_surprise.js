// How surprised each model is by every word of the text in the box: a row of words a model, the stronger the colour the
// more surprised.
import { element } from "../shared/js/elements.js"
import { buildColumn } from "./write_column.js"
import { shareOf } from "./write_texts.js"

export function buildSurprise(desk, parent) {
  const part = element("section", "surprise", parent)
  desk.surprise = { part, rows: {} }
  desk.surprise.title = element("h2", "title", part)
  for (const writer of desk.data.writers) {
    const row = buildColumn(part, "row", writer, `How surprised the ${writer.label} is`)
    const words = element("p", "read", row)
    desk.surprise.rows[writer.name] = { words, says: element("p", "rest", row) }
  }
  const details = element("details", "numbers", part)
  element("summary", "", details, "The data as a table")
  desk.surprise.table = element("table", "", element("div", "table", details))
  element("p", "how", part,
    "How to read this: the stronger the colour of a word, the less likely the model held it, having read those before it; 1 bit is a chance of one half, 10 bits of one in a thousand. Words struck out are unknown.")
}

export function showSurprise(desk, answer) {
  const { part, rows, title, table } = desk.surprise
  part.classList.remove("stale")
  part.hidden = answer.words.length === 0
  if (part.hidden) return
  title.textContent = answer.title
  for (const [name, { words, says }] of Object.entries(rows)) {
    words.replaceChildren()
    const found = answer.models[name]
    says.textContent = found?.says ?? ""
    const unknown = new Set(found?.unknown)
    found?.bits.forEach((bits, k) => {
      if (k) words.append(" ")
      const word = element("span", unknown.has(k) ? "read-word unknown" : "read-word", words, answer.words[k])
      word.style.setProperty("--share", shareOf(bits))
      word.title = `${bits.toFixed(1)} bits`
    })
  }
  showBits(table, answer, desk.data.writers)
}

function showBits(table, answer, writers) {
  table.replaceChildren()
  element("caption", "", table, "Bits of surprise")
  const head = element("tr", "", element("thead", "", table))
  const there = writers.filter(({ name }) => answer.models[name])
  for (const title of ["Word", ...there.map(({ label }) => label)]) element("th", "", head, title).scope = "col"
  const body = element("tbody", "", table)
  answer.words.forEach((word, k) => {
    const row = element("tr", "", body)
    element("th", "", row, word).scope = "row"
    for (const { name } of there) element("td", "number", row, answer.models[name].bits[k].toFixed(2))
  })
}
