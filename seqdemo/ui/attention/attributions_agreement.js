// How far every two rows agree on the order of the words: numbers on squares, a colour above 0 and another below.
import { element } from "../shared/js/elements.js"
import { decimal } from "../shared/js/parts.js"
import { MOST } from "./attributions_answer.js"

export function drawAgreement({ plot, below, found, palette }) {
  const { labels, pairs, sentence } = found
  const rho = new Map(pairs.map(({ one, other, rho }) => [`${one}\n${other}`, rho]))
  const table = element("table", "matrix", plot)
  element("caption", "spoken", table, "Rank correlation")
  const body = element("tbody", "", table)
  labels.slice(1).forEach((other, k) => {
    const row = element("tr", "", body)
    element("th", "", row, other).scope = "row"
    labels.slice(0, -1).forEach((one, column) => {
      if (column > k) return void element("td", "", row)
      const value = rho.get(`${one}\n${other}`)
      const cell = element("td", "square", row, value === null ? "\u2013" : decimal(value))
      cell.style.background = palette.css(value ?? 0, MOST)
    })
  })
  const foot = element("tr", "", element("tfoot", "", table))
  element("td", "", foot)
  for (const label of labels.slice(0, -1)) element("th", "", foot, label).scope = "col"
  element("p", "how", below, sentence)
}
