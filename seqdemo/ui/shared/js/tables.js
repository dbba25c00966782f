// The numbers behind a picture: as a table that is filled once it is opened, and as a CSV file.
import { element } from "./elements.js"
import { button, saveCsv } from "./parts.js"

// `read()` gives what is to be shown now: `titles` of the columns, and `rows`, a name and then its cells each.
/**
 * @param {HTMLElement} parent
 * @param {{caption: string, file: string, summary?: string,
 *   read: () => {titles: string[], rows: (string | number)[][]}}} about
 */
export function buildNumbers(parent, { caption, file, read, summary = "The data as a table" }) {
  const details = element("details", "numbers", parent)
  element("summary", "", details, summary)
  const table = element("table", "", element("div", "table", details))
  const fill = () => { if (details.open) fillTable(table, caption, read()) }
  details.ontoggle = fill
  button(details, "quiet", "Save as CSV", () => {
    const { titles, rows } = read()
    saveCsv(file, [titles, ...rows])
  })
  return { details, fill }
}

function fillTable(table, caption, { titles, rows }) {
  table.replaceChildren()
  element("caption", "", table, caption)
  const head = element("tr", "", element("thead", "", table))
  for (const title of titles) element("th", "", head, title).scope = "col"
  const body = element("tbody", "", table)
  for (const [name, ...cells] of rows) {
    const row = element("tr", "", body)
    element("th", "", row, String(name)).scope = "row"
    for (const cell of cells) element("td", typeof cell === "number" ? "number" : "", row, String(cell))
  }
}
