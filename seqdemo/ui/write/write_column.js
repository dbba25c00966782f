// What stands there once for each model: its mark and its name, and its colour as `--model`.
import { element } from "../shared/js/elements.js"
import { modelMark } from "../shared/js/parts.js"

export function buildColumn(parent, className, { label, colour, dash }, says) {
  const column = element("section", className, parent)
  column.setAttribute("aria-label", says)
  column.style.setProperty("--model", colour)
  const head = element("h3", "name", column)
  modelMark(head, colour, dash)
  element("span", "", head, label)
  return column
}
