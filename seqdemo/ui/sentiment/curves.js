// P(positive) after each word: one line for each model, labels at the ends, one cursor for all.
import { numberInAddress, ownAddress } from "../shared/js/address.js"
import { buildAnswerer } from "../shared/js/asking.js"
import { element, shape, shorten, strangeness } from "../shared/js/elements.js"
import { spreadLabels } from "../shared/js/labels.js"

const charts = new WeakMap()
const SETTLE_MS = 300

export default function ({ data: [data], parentElement }) {
  if (!charts.has(parentElement)) charts.set(parentElement, build(parentElement, data))
  const chart = charts.get(parentElement)
  chart.answerer.take(data)
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => {
    if (parentElement.isConnected) return
    chart.answerer.stop()
    chart.observer.disconnect()
    clearTimeout(chart.settling)
    charts.delete(parentElement)
  }
}

// Words stand one apart; where a long text was cut, an empty place of two marks the gap.
function prepare(data) {
  const place = (index) => index + (data.gap !== null && index >= data.gap ? 2 : 0)
  const lines = data.lines.map((line) => ({ ...line, steps: line.steps ?? data.words.map((_, index) => index) }))
  return { ...data, lines, strange: strangeness(data), place, last: data.words.length - 1 }
}

function build(root, { token, title }) {
  const frame = element("section", "frame empty", root)
  const chart = { frame, toAddress: ownAddress(), data: null, cursor: null, linkTaken: false }
  chart.title = element("h2", "title", frame, title)
  chart.readout = element("div", "readout", frame)
  chart.plot = element("div", "plot", frame)
  chart.plot.setAttribute("role", "slider")
  chart.plot.setAttribute("aria-label", "Word at the cursor")
  chart.refused = element("p", "refused", frame)
  chart.refused.setAttribute("role", "status")
  chart.how = element("p", "how", frame)
  chart.invitation = element("div", "invitation", frame)
  chart.details = element("details", "", frame)
  element("summary", "", chart.details, "Data as a table")
  chart.table = element("div", "table", chart.details)
  chart.details.ontoggle = () => { if (chart.details.open) showTable(chart) }
  chart.plot.onpointermove = (event) => point(chart, event)
  chart.plot.onpointerdown = (event) => point(chart, event)
  chart.plot.onkeydown = (event) => step(chart, event)
  chart.observer = new ResizeObserver(() => { if (chart.data && chart.plot.clientWidth !== chart.width) draw(chart) })
  chart.observer.observe(chart.plot)
  const stale = (is) => frame.classList.toggle("stale", is)
  chart.answerer = buildAnswerer({
    token, kind: "curves", restOnly: true,
    waits: () => {
      chart.refused.textContent = ""
      stale(true)
    },
    show: (answer) => { stale(false); show(chart, answer) },
    trouble: (sentence) => { if (sentence) chart.how.textContent = sentence },
  })
  return chart
}

// Where a link points to: the word that the cursor stands on.
function goToLink(chart) {
  chart.linkTaken = true
  const word = numberInAddress("word", chart.data.words.length, (sentence) => { chart.refused.textContent = sentence })
  if (word === null) return
  chart.cursor = word - 1
  chart.atEnd = chart.cursor === chart.data.last
}

// The address opens this word again, once one rests on it; the last one is where the cursor stands anyway.
function remember(chart) {
  clearTimeout(chart.settling)
  chart.settling = setTimeout(() => chart.toAddress({ word: chart.atEnd === false ? String(chart.cursor + 1) : "" }), SETTLE_MS)
}


function show(chart, answer) {
  chart.data = prepare(answer)
  const isEmpty = chart.data.words.length === 0
  if (!chart.linkTaken && !isEmpty) goToLink(chart)
  showTexts(chart)
  draw(chart)
  if (!isEmpty) remember(chart)
}

function showTexts(chart) {
  const { data } = chart
  const empty = data.words.length === 0
  chart.frame.classList.toggle("empty", empty)
  chart.title.textContent = data.title
  chart.how.textContent = data.how
  chart.invitation.textContent = empty ? data.invitation : ""
  chart.plot.tabIndex = empty ? -1 : 0
  chart.plot.setAttribute("aria-valuemin", 1)
  chart.plot.setAttribute("aria-valuemax", Math.max(1, data.words.length))
  if (chart.atEnd !== false || chart.cursor > data.last) chart.cursor = data.last
  if (chart.details.open) showTable(chart)
}

function draw(chart) {
  const { plot, data } = chart
  const width = plot.clientWidth
  chart.width = width
  plot.replaceChildren()
  chart.readout.replaceChildren()
  chart.cells = []
  if (!width || data.words.length === 0) return
  const style = getComputedStyle(plot)
  const size = parseFloat(style.fontSize)
  const height = plot.clientHeight
  const measure = document.createElement("canvas").getContext("2d")
  measure.font = `${style.fontSize} ${style.fontFamily}`
  const widest = Math.max(...data.lines.map(({ label }) => measure.measureText(label).width))
  const box = { left: size * 3.6, right: width - widest - size * 2.6, top: size, bottom: height - size * 2.2 }
  const places = data.place(data.last)
  const x = (index) =>
    places === 0 ? (box.left + box.right) / 2 : box.left + ((box.right - box.left) * data.place(index)) / places
  const y = (permille) => box.bottom - ((box.bottom - box.top) * permille) / 1000
  Object.assign(chart, { box, x, y })

  const svg = shape("svg", plot, { width, height, role: "img", "aria-label": data.alt })
  for (const [permille, text] of [[0, "0 %"], [500, "50 %"], [1000, "100 %"]]) {
    const rule = { x1: box.left, x2: box.right, y1: y(permille), y2: y(permille) }
    shape("line", svg, { ...rule, class: permille === 500 ? "half" : "rule" })
    const label = { x: box.left - size * 0.5, y: y(permille) + size * 0.35, "text-anchor": "end" }
    shape("text", svg, label).textContent = text
  }
  for (const line of data.lines) {
    const points = line.steps.map((index, k) => [x(index), y(line.permille[k])])
    const path = points.map(([px, py], k) => `${k ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("")
    shape("path", svg, { d: path, class: "line", stroke: line.colour, "stroke-dasharray": line.dash })
    const dots = line.sampled ? points : points.slice(-1)
    for (const [cx, cy] of dots) shape("circle", svg, { cx, cy, r: line.sampled ? 3.5 : 4, fill: line.colour })
  }
  if (data.gap !== null) showGap(svg, chart, size)
  showEndLabels(svg, chart, size)
  showWords(svg, chart, size, measure)
  chart.rule = shape("line", svg, { y1: box.top, y2: box.bottom, class: "cursor" })
  chart.dots = data.lines.map(({ colour }) => shape("circle", svg, { r: 6, fill: colour, class: "dot" }))
  showReadout(chart)
  moveCursor(chart, chart.cursor)
}

// Its words stand above or below the 50 % rule, away from most lines.
function showGap(svg, { data, box, x }, size) {
  const high = data.lines.filter((line) => valueAt(line, data.gap).permille > 500).length > data.lines.length / 2
  const middle = (x(data.gap - 1) + x(data.gap)) / 2
  shape("line", svg, { x1: middle, x2: middle, y1: box.top, y2: box.bottom, class: "gap" })
  const text = shape("text", svg, { x: middle + size * 0.4, y: high ? box.bottom - size * 0.8 : box.top + size, class: "note" })
  text.textContent = `${data.skipped.toLocaleString("en")} not read`
}

// A thin line leads to each label.
function showEndLabels(svg, { data, box, x, y }, size) {
  const labels = data.lines.map((line) => ({ line, from: y(line.permille.at(-1)), to: 0 }))
  spreadLabels(labels, box, size * 1.25)
  for (const { line, from, to } of labels) {
    const end = box.right + size * 1.6
    shape("line", svg, { x1: x(data.last) + 5, x2: end, y1: from, y2: to, class: "lead", stroke: line.colour })
    const text = shape("text", svg, { x: end + size * 0.4, y: to + size * 0.35 })
    text.textContent = line.label
  }
}

// As many words as fit: unknown ones first, then long ones, which say more than "of" or a comma.
function showWords(svg, { data, box, x, width }, size, measure) {
  const taken = []
  const order = data.words.map((_, index) => index)
  const rank = (index) => (data.strange(index) ? 100 : Math.min(data.words[index].length, 8))
  order.sort((a, b) => rank(b) - rank(a) || a - b)
  for (const index of order) {
    const word = shorten(data.words[index])
    const half = measure.measureText(word).width / 2 + size * 0.3
    const middle = Math.min(Math.max(x(index), half), width - half)
    const free = taken.every(([from, to]) => middle + half < from || middle - half > to)
    if (!free) {
      shape("line", svg, { x1: x(index), x2: x(index), y1: box.bottom, y2: box.bottom + size * 0.3, class: "rule" })
      continue
    }
    taken.push([middle - half, middle + half])
    shape("line", svg, { x1: x(index), x2: x(index), y1: box.bottom, y2: box.bottom + size * 0.5, class: "tick" })
    const text = shape("text", svg, { x: middle, y: box.bottom + size * 1.6, "text-anchor": "middle" })
    text.textContent = word
    if (data.strange(index)) text.setAttribute("class", data.strange(index).mark)
  }
}

function showReadout(chart) {
  const where = element("div", "where", chart.readout)
  chart.where = element("span", "", where)
  chart.word = element("strong", "", where)
  chart.unknown = element("span", "", where)
  for (const { label, colour, dash, sampled } of chart.data.lines) {
    const cell = element("div", sampled ? "cell sampled" : "cell", chart.readout)
    const head = element("span", "head", cell)
    const mark = shape("svg", head, { viewBox: "0 0 30 8", class: "mark", "aria-hidden": "true" })
    shape("line", mark, { x1: 0, x2: 30, y1: 4, y2: 4, stroke: colour, "stroke-width": 4, "stroke-dasharray": dash })
    element("span", "", head, label)
    chart.cells.push({ value: element("strong", "", cell), at: element("span", sampled ? "at" : "", cell) })
  }
}

// A sampled line answers for the last word at or before the cursor that it was run on.
function valueAt(line, index) {
  let k = line.steps.length - 1
  while (k > 0 && line.steps[k] > index) k -= 1
  return { step: line.steps[k], permille: line.permille[k] }
}

function moveCursor(chart, index) {
  const { data } = chart
  chart.cursor = Math.min(Math.max(index, 0), data.last)
  chart.atEnd = chart.cursor === data.last
  const word = data.words[chart.cursor]
  const strange = data.strange(chart.cursor)
  const px = chart.x(chart.cursor)
  chart.rule.setAttribute("x1", px)
  chart.rule.setAttribute("x2", px)
  chart.where.textContent = `After word ${chart.cursor + 1} of ${data.words.length}: `
  chart.word.textContent = shorten(word, 40)
  chart.word.className = strange?.mark ?? ""
  chart.unknown.textContent = strange ? ` (${strange.said})` : ""
  const said = data.lines.map((line, k) => {
    const { step, permille } = valueAt(line, chart.cursor)
    const percent = `${Math.floor(permille / 10 + 0.5)}\u00a0%`
    chart.cells[k].value.textContent = percent
    chart.cells[k].at.textContent = step === chart.cursor ? "" : `at word ${step + 1}`
    chart.dots[k].setAttribute("cx", chart.x(step))
    chart.dots[k].setAttribute("cy", chart.y(permille))
    return `${line.label} ${percent}`
  })
  chart.plot.setAttribute("aria-valuenow", chart.cursor + 1)
  chart.plot.setAttribute("aria-valuetext", `${word}${strange ? `, ${strange.said}` : ""}: ${said.join(", ")}`)
}

function choose(chart, index) {
  chart.refused.textContent = ""
  moveCursor(chart, index)
  remember(chart)
}

function point(chart, event) {
  if (!chart.width || chart.data.words.length === 0) return
  const px = event.clientX - chart.plot.getBoundingClientRect().left
  let nearest = 0
  for (let index = 1; index <= chart.data.last; index += 1) {
    if (Math.abs(chart.x(index) - px) < Math.abs(chart.x(nearest) - px)) nearest = index
  }
  if (nearest !== chart.cursor) choose(chart, nearest)
}

function step(chart, event) {
  if (chart.data.words.length === 0) return
  const to = {
    ArrowLeft: chart.cursor - 1, ArrowDown: chart.cursor - 1, ArrowRight: chart.cursor + 1, ArrowUp: chart.cursor + 1,
    PageDown: chart.cursor - 10, PageUp: chart.cursor + 10, Home: 0, End: chart.data.last,
  }[event.key]
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  choose(chart, to)
}

function showTable(chart) {
  const { data } = chart
  chart.table.replaceChildren()
  const table = element("table", "", chart.table)
  const head = element("tr", "", element("thead", "", table))
  for (const name of ["", "Word", ...data.lines.map(({ label }) => label)]) element("th", "", head, name).scope = "col"
  const body = element("tbody", "", table)
  const found = data.lines.map((line) => new Map(line.steps.map((index, k) => [index, line.permille[k]])))
  data.words.forEach((word, index) => {
    const row = element("tr", "", body)
    element("td", "", row, String(index + 1))
    element("td", data.strange(index)?.mark ?? "", row, word)
    for (const values of found) {
      element("td", "number", row, values.has(index) ? `${(values.get(index) / 10).toFixed(1)}\u00a0%` : "")
    }
  })
}
