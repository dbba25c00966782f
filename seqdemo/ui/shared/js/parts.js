// What the larger parts of pages share: numbers, messages, colours, files.
import { element, shape, SVG } from "./elements.js"

export const MINUS = "\u2212"

export function button(parent, className, text, onclick) {
  const made = element("button", className, parent, text)
  made.type = "button"
  made.onclick = onclick
  return made
}

// A number as it is printed: rounded from the exact value, a true minus sign, never −0, a very large one as 1.00e9.
export function decimal(value, digits = 2) {
  const size = Math.abs(value)
  const text = size < 1e7 ? size.toFixed(digits) : size.toExponential(digits).replace("+", "")
  return value < 0 && Number(text) !== 0 ? MINUS + text : text
}

export function percent(probability) {
  return Math.floor(probability * 100 + 0.5)
}

export function verdict(percents) {
  const [from, to] = PYTHON.unsure
  return percents > to ? "positive" : percents >= from ? "unsure" : "negative"
}

export function modelMark(parent, colour, dash) {
  const svg = shape("svg", parent, { viewBox: "0 0 30 8", class: "mark", "aria-hidden": "true" })
  return shape("line", svg, { x1: 0, x2: 30, y1: 4, y2: 4, stroke: colour, "stroke-width": 4, "stroke-dasharray": dash })
}

// The inverse of `seqdemo.ui.message.pack`.
export function unpack(message) {
  const bytes = message.slice() // its own buffer: what arrives need not be aligned
  const length = new DataView(bytes.buffer).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const kinds = { "|u1": Uint8Array, "<u2": Uint16Array, "<f4": Float32Array }
  const arrays = {}
  for (const [name, { dtype, offset, size }] of Object.entries(header.arrays)) {
    arrays[name] = new kinds[dtype](bytes.buffer, 4 + length + offset, size)
  }
  return { header, arrays }
}

// Signed quantities, in Python's two colours: one below 0, one above, the page's background at 0.
export function paletteOf(node) {
  const probe = document.createElement("canvas").getContext("2d")
  probe.fillStyle = getComputedStyle(node).getPropertyValue("--st-background-color").trim() || "#ffffff"
  const paper = [1, 3, 5].map((at) => parseInt(String(probe.fillStyle).slice(at, at + 2), 16))
  const dark = paper[0] + paper[1] + paper[2] < 384
  const [below, above] = PYTHON.signed[dark ? "dark" : "light"].map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)))
  const colour = (t, most = 1) => {
    const end = t < 0 ? below : above
    const share = Math.min(Math.abs(t), 1) * most
    return paper.map((channel, k) => Math.round(channel + (end[k] - channel) * share))
  }
  const css = (t, most) => `rgb(${colour(t, most).join(" ")})`
  const ramp = (from) => `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map((t) => css(from + t * (1 - from))).join(", ")})`
  return { dark, colour, css, ramp }
}

export function save(name, blob) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

// A drawing as a file that looks the same without this page's styles.
export function saveDrawing(name, svg) {
  const copy = svg.cloneNode(true)
  const kept = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "font-family",
    "font-size", "font-weight", "font-style", "text-anchor"]
  const from = svg.querySelectorAll("*")
  copy.querySelectorAll("*").forEach((node, k) => {
    const style = getComputedStyle(from[k])
    for (const property of kept) node.style.setProperty(property, style.getPropertyValue(property))
  })
  copy.setAttribute("xmlns", SVG)
  const { width, height } = svg.viewBox.baseVal
  copy.setAttribute("width", width * 2)
  copy.setAttribute("height", height * 2)
  const paper = shape("rect", copy, { width, height, fill: getComputedStyle(svg).getPropertyValue("--st-background-color") })
  copy.prepend(paper)
  save(name, new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }))
}

export function saveCsv(name, rows) {
  save(name, new Blob(["\ufeff", csv(rows)], { type: "text/csv" }))
}

/** @param {(string | number)[][]} rows */
export function csv(rows) {
  const field = (value) => {
    const text = String(value)
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text // no formula for a spreadsheet
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("")
}
