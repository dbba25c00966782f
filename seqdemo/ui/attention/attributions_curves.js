// What is left of P(verdict) on this review against the share of words taken away: a line a method, random words as a
// band.
import { element, shape } from "../shared/js/elements.js"
import { spreadLabels } from "../shared/js/labels.js"
import { percent } from "../shared/js/parts.js"

const percents = (share) => `${percent(share)}\u00a0%`

export function drawCurves({ plot, below, found, width }) {
  const { shares, lines, alt } = found
  const style = getComputedStyle(plot)
  const size = parseFloat(style.fontSize)
  const height = plot.clientHeight
  const measure = document.createElement("canvas").getContext("2d")
  measure.font = `${style.fontSize} ${style.fontFamily}`
  const widest = Math.max(...lines.flatMap(({ end }) => end).map((text) => measure.measureText(text).width))
  const box = { left: size * 3.4, right: width - widest - size * 1.4, top: size * 2.2, bottom: height - size * 3.6 }
  const last = shares.at(-1)
  const x = (share) => box.left + ((box.right - box.left) * share) / last
  const y = (p) => box.bottom - (box.bottom - box.top) * p
  const path = (values) => values.map((p, k) => `${x(shares[k]).toFixed(1)} ${y(p).toFixed(1)}`)

  const svg = shape("svg", plot, { width, height, role: "img", "aria-label": alt })
  const write = (text, at, className = "") => { shape("text", svg, { class: className, ...at }).textContent = text }
  write("P(verdict)", { x: box.left, y: size * 1.1 })
  for (const p of [0, 0.25, 0.5, 0.75, 1]) {
    shape("line", svg, { x1: box.left, x2: box.right, y1: y(p), y2: y(p), class: p === 0.5 ? "half" : "rule" })
    write(percents(p), { x: box.left - size * 0.5, y: y(p) + size * 0.35, "text-anchor": "end" })
  }
  const apart = (box.right - box.left) / (last * 10) > size * 3 ? 10 : 20 // per cents from one label to the next
  for (const share of shares.filter((share) => Math.round(share * 100) % apart === 0)) {
    write(percents(share), { x: x(share), y: box.bottom + size * 1.5, "text-anchor": "middle" })
  }
  write("share of words taken away", { x: (box.left + box.right) / 2, y: height - size * 0.5, "text-anchor": "middle" })
  for (const { band } of lines.filter((line) => line.band)) {
    shape("path", svg, { d: `M${path(band[0]).join("L")}L${path(band[1]).toReversed().join("L")}Z`, class: "band" })
  }
  for (const { label, p, dash, colour, band } of lines) {
    const kind = band ? "random" : ""
    const own = colour ?? "currentColor"
    shape("path", svg, { d: `M${path(p).join("L")}`, class: `line ${kind}`, stroke: own, "stroke-dasharray": dash })
    p.forEach((value, k) => {
      const dot = shape("circle", svg, { cx: x(shares[k]), cy: y(value), r: band ? 6 : 3.75, fill: band ? "transparent" : own })
      shape("title", dot, {}).textContent = `${label}: ${percents(value)} with ${percents(shares[k])} taken away`
    })
  }
  showEnds(svg, lines, box, y, size, write)
  showTable(below, shares, lines)
}

function showEnds(svg, lines, box, y, size, write) {
  const labels = lines.map(({ end, p }) => ({ end, from: y(p.at(-1)), to: 0 }))
  spreadLabels(labels, { top: box.top + size * 0.4, bottom: box.bottom }, size * 2.55)
  for (const { end, from, to } of labels) {
    shape("line", svg, { x1: box.right + 4, x2: box.right + size * 0.7, y1: from, y2: to, class: "lead" })
    end.forEach((text, k) => write(text, { x: box.right + size, y: to + size * (k ? 1.1 : -0.1) }, "end"))
  }
}

function showTable(below, shares, lines) {
  const details = element("details", "", below)
  element("summary", "", details, "This review's numbers as a table")
  const table = element("table", "numbers", element("div", "table", details))
  const head = element("tr", "", element("thead", "", table))
  for (const name of ["P(verdict), words chosen by", ...shares.map((share) => percents(share))]) element("th", "", head, name).scope = "col"
  const body = element("tbody", "", table)
  for (const { label, p } of lines) {
    const row = element("tr", "", body)
    element("th", "", row, label).scope = "row"
    for (const value of p) element("td", "number", row, `${(value * 100).toFixed(1)}\u00a0%`)
  }
}
