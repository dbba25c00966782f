// The step's numbers as a table, and all steps' numbers as a CSV file.
import { element } from "../shared/js/elements.js"
import { button, decimal, saveCsv } from "../shared/js/parts.js"
import { saidBy, valuesAt } from "./stepper_panels.js"
import { curveAt } from "./stepper_strip.js"

export function buildTable(stepper, parent) {
  stepper.details = element("details", "numbers", parent)
  element("summary", "", stepper.details, "This step's numbers as a table")
  stepper.table = element("div", "table", stepper.details)
  stepper.details.ontoggle = () => showTable(stepper)
  const files = element("div", "files", parent)
  button(files, "quiet", "All steps as CSV", () => saveSteps(stepper))
}

function laneTitle(lane) {
  return `${lane.column.label}${lane.said}, unit ${lane.unit + 1}`
}

function numbersOf(lane, step) {
  const names = { x: "word's part", h: "state's part", sum: "sum", b: "bias", bx: "bias of the word's part", bh: "bias of the state's part" }
  const values = valuesAt(lane, step)
  const gru = lane.column.cell === "gru"
  return Object.entries(values)
    .filter(([key]) => {
      const [name, part] = key.split(".")
      if (part === "b") return !(gru && name === "n")
      if (part === "bx" || part === "bh") return gru && name === "n"
      return !["kept", "written", "not_z", "tanh_c"].includes(key)
    })
    .map(([key, value]) => {
      const [name, part] = key.replace("_prev", " before").split(".")
      return [part ? `${name}: ${names[part]}` : name, value]
    })
}

export function showTable(stepper) {
  if (!stepper.details.open || !stepper.n) return
  stepper.table.replaceChildren()
  for (const lane of stepper.lanes.filter(({ values }) => values)) {
    const table = element("table", "", stepper.table)
    element("caption", "", table, laneTitle(lane))
    const head = element("tr", "", element("thead", "", table))
    for (const title of ["Quantity", "Value"]) element("th", "", head, title).scope = "col"
    const body = element("tbody", "", table)
    for (const [name, value] of numbersOf(lane, stepper.cursor)) {
      const row = element("tr", "", body)
      element("th", "", row, name).scope = "row"
      element("td", "number", row, decimal(value, 6))
    }
  }
}

function saveSteps(stepper) {
  if (!stepper.n) return
  const lanes = stepper.lanes.filter(({ values }) => values)
  const curves = stepper.shown.filter(({ curve }) => curve)
  const titles = ["word number", "word", ...curves.map((column) => `${saidBy(column)} ${column.label} (${column.side})`)]
  for (const lane of lanes) titles.push(...numbersOf(lane, 0).map(([name]) => `${laneTitle(lane)} (${lane.column.side}): ${name}`))
  const rows = stepper.words.map((word, step) => {
    const row = [step + 1, word]
    for (const { curve } of curves) {
      const at = curveAt(curve, step)
      row.push(at.step === step ? at.p : "")
    }
    for (const lane of lanes) row.push(...numbersOf(lane, step).map(([, value]) => value))
    return row
  })
  saveCsv("steps.csv", [titles, ...rows])
}
