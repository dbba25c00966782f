// What each cell does while it writes: how much of its state it keeps, and the state itself, a column a word.
import { element, shape } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"
import { paint, savePicture } from "../shared/js/pictures.js"
import { buildColumn } from "./write_column.js"

export function buildGates(desk, parent) {
  const part = element("section", "gates", parent)
  desk.keptTitle = element("h2", "title", part)
  const columns = element("div", "columns", part)
  desk.gates = {}
  for (const writer of desk.data.writers) {
    const { name, label } = writer
    const column = buildColumn(columns, "column", writer, `What the cell of the ${label} does`)
    const line = element("p", "gate-name", column)
    const said = element("span", "", line)
    const now = element("span", "now", line)
    const kept = element("div", "plot kept", column)
    const map = element("div", "plot state", column)
    const canvas = element("canvas", "", map)
    canvas.setAttribute("role", "img")
    for (const plot of [kept, map]) {
      plot.onclick = (event) => {
        const { left, width } = plot.getBoundingClientRect()
        desk.goTo(desk, Math.floor(((event.clientX - left) / width) * desk.n))
      }
    }
    element("span", "veil", map)
    element("span", "cursor", map)
    const keeps = element("p", "rest", column, "\u00a0")
    const step = element("a", "step-through", column, `Step through it: this cell beside the ${label} that judges`)
    desk.gates[name] = { label, said, now, kept, canvas, keeps, step, values: [] }
    button(column, "quiet save", "Save picture (PNG)", () => savePicture(`${name}-hidden-state-while-writing.png`, canvas))
  }
  const legend = element("div", "legend", part)
  element("span", "", legend, "\u22121")
  element("span", "ramp", legend)
  element("span", "", legend, "+1")
  element("p", "how", part,
    "How to read this: a column a word, read in as soon as it is written. Above, the mean of the gate that keeps the state: 1 keeps all of it, 0 nothing. Below, the hidden state h: the units that change most, sorted by when they are most active. Click to go to a word.")
}

export function showGates(desk, { models, kept_title: title }) {
  desk.keptTitle.textContent = title
  desk.frame.style.setProperty("--n", Math.max(1, desk.n))
  desk.frame.style.setProperty("--ramp", desk.palette.ramp(-1))
  for (const [name, shown] of Object.entries(desk.gates)) {
    const found = models[name]
    const { label, said, now, kept, canvas, keeps } = shown
    shown.values = found?.kept ?? []
    const text = desk.area.value + (found?.words ?? []).map(({ written }) => written).join("")
    const query = new URLSearchParams({ review: text, left: `lm-${name}`, right: name })
    shown.step.hidden = !found || text.length > desk.data.most.link
    shown.step.href = `stepper?${query}`
    kept.replaceChildren()
    now.textContent = ""
    keeps.textContent = found?.keeps ?? "\u00a0"
    const hasGate = shown.values.length > 0
    said.textContent = !found ? "" : hasGate ? "Kept of the state" : "No gate keeps anything"
    kept.classList.toggle("none", !hasGate)
    shown.levels = found ? Uint8Array.from(atob(found.hidden), (letter) => letter.charCodeAt(0)) : new Uint8Array(0)
    Object.assign(canvas, { width: Math.max(1, found ? desk.n : 0), height: Math.max(1, found?.units ?? 0) })
    canvas.setAttribute("aria-label", found ? `Hidden state of the ${label}: ${found.units} units by ${desk.n} words` : `No hidden state of the ${label}`)
    if (hasGate) drawKept(kept, shown.values, label)
  }
  paintGates(desk)
}

// Colours come from the theme, so that another one paints everything again.
export function paintGates({ gates, palette }) {
  for (const { canvas, levels } of Object.values(gates)) {
    if (levels?.length) paint(canvas, (row, column) => levels[row * canvas.width + column], palette)
  }
}

export function showGatesAt({ frame, gates, cursor }) {
  frame.style.setProperty("--k", cursor)
  for (const { now, values } of Object.values(gates)) {
    if (values.length) now.textContent = values[cursor]?.toFixed(2) ?? ""
  }
}

function drawKept(plot, values, label) {
  const n = values.length
  const svg = shape("svg", plot, { viewBox: `0 0 ${n} 1`, preserveAspectRatio: "none", role: "img" })
  svg.setAttribute("aria-label", `Share of the state that the ${label} keeps, after each of ${n} words`)
  const points = values.map((value, k) => `${k + 0.5} ${(1 - value).toFixed(4)}`)
  shape("path", svg, { d: `M0.5 1L${points.join("L")}L${n - 0.5} 1Z`, class: "area-below" })
  shape("path", svg, { d: `M${points.join("L")}`, class: "line" })
  ;["1", "0"].forEach((text, k) => { element("span", "tick", plot, text).style.top = `${100 * k}%` })
  element("span", "veil", plot)
  element("span", "cursor", plot)
}
