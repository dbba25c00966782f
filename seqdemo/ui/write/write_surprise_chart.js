// Surprise along the text: a line a model, what counting words comes to on other texts as a dashed one, one cursor.
import { element, shape, shorten } from "../shared/js/elements.js"
import { spreadLabels } from "../shared/js/labels.js"
import { saveDrawing } from "../shared/js/parts.js"

const LEAST_TOP = 12 // bits
const TICK_EVERY = 4

export function buildSurpriseChart(parent, counting, moved) {
  const plot = element("div", "bits", parent)
  plot.tabIndex = 0
  plot.setAttribute("role", "slider")
  plot.setAttribute("aria-label", "Word of the text")
  const chart = { plot, counting, moved, lines: [], words: [], cursor: 0 }
  const point = (event) => {
    const { left } = plot.getBoundingClientRect()
    if (chart.at) moveChart(chart, chart.at(event.clientX - left))
  }
  plot.onpointermove = plot.onpointerdown = point
  plot.onkeydown = (event) => {
    const to = { ArrowRight: chart.cursor + 1, ArrowLeft: chart.cursor - 1, Home: 0, End: chart.words.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    event.stopPropagation()
    moveChart(chart, to)
  }
  new ResizeObserver(() => { if (chart.words.length && plot.clientWidth !== chart.width) drawSurprise(chart) }).observe(plot)
  return chart
}

export function showSurpriseChart(chart, words, lines) {
  Object.assign(chart, { words, lines, cursor: mostBitsAt(lines) })
  const { plot } = chart
  plot.setAttribute("aria-valuemin", "1")
  plot.setAttribute("aria-valuemax", String(words.length))
  drawSurprise(chart)
}

function mostBitsAt(lines) {
  const most = lines.map(({ bits }) => Math.max(...bits))
  const { bits } = lines[most.indexOf(Math.max(...most))]
  return bits.indexOf(Math.max(...bits))
}

export function moveChart(chart, to) {
  const { words, lines, rule, dots, xOf, yOf, plot } = chart
  const at = Math.min(Math.max(to, 0), words.length - 1)
  chart.cursor = at
  rule?.setAttribute("x1", xOf(at))
  rule?.setAttribute("x2", xOf(at))
  lines.forEach(({ bits }, k) => {
    dots?.[k].setAttribute("cx", xOf(at))
    dots?.[k].setAttribute("cy", yOf(bits[at]))
  })
  const said = lines.map(({ label, bits }) => `${label} ${bits[at].toFixed(1)}`).join(", ")
  plot.setAttribute("aria-valuenow", String(at + 1))
  plot.setAttribute("aria-valuetext", `${words[at]}: ${said} bits`)
  chart.moved(at)
}

export function saveSurprise({ svg }) {
  saveDrawing("surprise.svg", svg)
}

function drawSurprise(chart) {
  const { plot, lines, words, counting } = chart
  const width = chart.width = plot.clientWidth
  plot.replaceChildren()
  if (!width) return
  const style = getComputedStyle(plot)
  const size = parseFloat(style.fontSize)
  const measure = document.createElement("canvas").getContext("2d")
  measure.font = `${style.fontSize} ${style.fontFamily}`
  const names = [...lines.map(({ label }) => label), ...(counting ? ["counting"] : [])]
  const widest = Math.max(...names.map((name) => measure.measureText(name).width))
  const height = plot.clientHeight
  const box = { left: size * 2.4, right: width - widest - size * 2.4, top: size, bottom: height - size * 2 }
  const top = Math.max(LEAST_TOP, ...lines.flatMap(({ bits }) => bits))
  const last = Math.max(1, words.length - 1)
  const xOf = chart.xOf = (k) => (words.length === 1 ? (box.left + box.right) / 2 : box.left + ((box.right - box.left) * k) / last)
  const yOf = chart.yOf = (bits) => box.bottom - ((box.bottom - box.top) * bits) / top
  chart.at = (x) => Math.round(((x - box.left) / (box.right - box.left)) * last)
  const svg = chart.svg = shape("svg", plot, { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "font-size": style.fontSize, "font-family": style.fontFamily })
  svg.setAttribute("aria-label", `Bits of surprise at each of ${words.length} words, for ${names.join(", ")}`)
  for (let bits = 0; bits <= top; bits += TICK_EVERY) {
    shape("line", svg, { x1: box.left, x2: box.right, y1: yOf(bits), y2: yOf(bits), class: "grid" })
    shape("text", svg, { x: box.left - size * 0.5, y: yOf(bits) + size * 0.35, "text-anchor": "end" }).textContent = String(bits)
  }
  shape("text", svg, { x: box.left, y: height - size * 0.4 }).textContent = `bits of surprise, word by word, from \u201c${shorten(words[0])}\u201d to \u201c${shorten(words.at(-1))}\u201d`
  const labels = lines.map(({ label, colour, bits }) => ({ label, colour, from: yOf(bits.at(-1)), to: 0, start: xOf(words.length - 1) }))
  if (counting) {
    shape("line", svg, { x1: box.left, x2: box.right, y1: yOf(counting), y2: yOf(counting), class: "counting" })
    labels.push({ label: "counting", colour: "", from: yOf(counting), to: 0, start: box.right })
  }
  for (const { colour, dash, bits } of lines) {
    const points = bits.map((value, k) => `${xOf(k).toFixed(1)} ${yOf(value).toFixed(1)}`)
    shape("path", svg, { d: `M${points.join("L")}`, class: "bits-line", stroke: colour, "stroke-dasharray": dash })
  }
  spreadLabels(labels, box, size * 1.2)
  for (const { label, colour, from, to, start } of labels) {
    const end = box.right + size * 1.4
    shape("line", svg, { x1: start, x2: end, y1: from, y2: to, class: "lead", stroke: colour || "currentColor" })
    shape("text", svg, { x: end + size * 0.4, y: to + size * 0.35 }).textContent = label
  }
  chart.rule = shape("line", svg, { y1: box.top, y2: box.bottom, class: "at" })
  chart.dots = lines.map(({ colour }) => shape("circle", svg, { r: 5, fill: colour, class: "dot" }))
  moveChart(chart, chart.cursor)
}
