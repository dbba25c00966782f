// One head enlarged: as a map, query by key, or as two columns of words with lines between them.
import { element, shape, shorten } from "../shared/js/elements.js"
import { button, save, saveDrawing } from "../shared/js/parts.js"
import { keyOf, pick, point } from "./attention.js"
import { paintCells } from "./attention_wall.js"
import { fileName, largest, mapOf, placeName, quoted, rowOf, share } from "./attention_weights.js"

export const WINDOW = 50 // words along a side, at most
const LEAST_CELL_PX = 13
const LINE_PX = 23

export function buildViews(desk, parent) {
  const views = { root: element("section", "views", parent) }
  const head = element("div", "views-head", views.root)
  views.title = element("h3", "", head)
  const choice = element("div", "choice", head)
  choice.setAttribute("role", "group")
  choice.setAttribute("aria-label", "View")
  views.buttons = Object.fromEntries(
    [["map", "Map"], ["columns", "Two columns"]].map(([view, name]) => [view, button(choice, "option", name, () => pick(desk, { view }))]),
  )
  views.windows = element("div", "windows", views.root)
  views.from = ["Words that look, from word", "Words looked at, from word"].map((name, side) => {
    const label = element("label", "", views.windows)
    element("span", "", label, name)
    const range = element("input", "", label)
    Object.assign(range, { type: "range", min: 1, step: 1 })
    const shown = element("span", "shown", label)
    range.oninput = () => { desk.from[side] = range.valueAsNumber - 1; drawView(desk) }
    return { range, shown }
  })
  views.stage = element("div", "stage", views.root)
  views.canvas = element("canvas", "map", views.stage)
  views.canvas.setAttribute("role", "img")
  views.canvas.onpointermove = (event) => {
    const at = cellAt(desk, event)
    if (event.pointerType !== "touch") point(desk, at?.word ?? null, at?.key ?? null)
  }
  views.canvas.onpointerleave = () => point(desk, null)
  views.canvas.onclick = (event) => {
    const at = cellAt(desk, event)
    if (at) pick(desk, { word: at.word ?? desk.word, key: at.key ?? null })
  }
  views.columns = shape("svg", views.stage, { class: "columns", role: "img" })
  const word = (event) => event.target.dataset?.side && { side: event.target.dataset.side, index: Number(event.target.dataset.index) }
  views.columns.onpointermove = (event) => {
    const at = word(event)
    if (event.pointerType !== "touch") point(desk, at?.side === "query" ? at.index : null, at?.side === "key" ? at.index : null)
  }
  views.columns.onpointerleave = () => point(desk, null)
  views.columns.onclick = (event) => {
    const at = word(event)
    if (at) pick(desk, at.side === "query" ? { word: at.index } : { key: at.index })
  }
  views.readout = element("div", "readout", views.root)
  views.legend = element("div", "legend", views.root)
  views.how = element("p", "how", views.root)
  views.observer = new ResizeObserver(() => { if (desk.n && views.width !== views.stage.clientWidth) drawView(desk) })
  views.observer.observe(views.stage)
  return views
}

// How many words fit along a side, and where the two windows begin.
function windowOf(desk, most) {
  const size = Math.max(1, Math.min(desk.n, WINDOW, most))
  desk.from = desk.from.map((from) => Math.min(Math.max(from, 0), desk.n - size))
  return { size, q0: desk.from[0], k0: desk.from[1] }
}

// Moves the windows to the chosen word and to what it looks at most.
export function follow(desk) {
  const size = desk.views.window?.size ?? Math.min(desk.n, WINDOW)
  const targets = [desk.word, keyOf(desk)]
  desk.from = desk.from.map((from, side) => {
    const target = targets[side]
    return target < from || target >= from + size ? target - Math.floor(size / 2) : from
  })
}

export function drawView(desk) {
  const { views } = desk
  views.width = views.stage.clientWidth
  const isMap = desk.view === "map"
  views.canvas.hidden = !isMap
  views.columns.style.display = isMap ? "none" : ""
  for (const [view, node] of Object.entries(views.buttons)) node.setAttribute("aria-pressed", view === desk.view)
  views.title.textContent = placeName(desk)
  if (isMap) drawMap(desk)
  else drawColumns(desk)
  const { size, q0, k0 } = views.window
  views.windows.hidden = size === desk.n
  views.from.forEach(({ range, shown }, side) => {
    range.max = desk.n - size + 1
    range.value = [q0, k0][side] + 1
    shown.textContent = `${[q0, k0][side] + 1} to ${[q0, k0][side] + size} of ${desk.n}`
  })
  const most = largest(mapOf(desk, desk))
  views.legend.replaceChildren()
  element("span", "", views.legend, "0\u00a0%")
  element("span", "ramp", views.legend)
  element("span", "", views.legend, `${share(most)} (the largest weight here)`)
  const cut = size < desk.n ? ` ${size} of ${desk.n} words are shown at a time.` : ""
  views.how.textContent = isMap
    ? `How to read this: the word on the left looks at the words on top; the stronger the colour, the more, and each row sums to 100\u00a0%.${cut} Click a cell to see its numbers below.`
    : `How to read this: the words on the left look at the words on the right, lines as strong as the weight; weights below the even share, ${share(1 / desk.n)}, have no line.${cut} Point at a word to see its lines alone.`
  showReadout(desk)
}

function showReadout(desk) {
  const { views } = desk
  const word = desk.hover ?? desk.word
  const key = desk.hoverKey ?? keyOf(desk, word)
  views.readout.textContent = `${quoted(desk, word)} (word ${word + 1}) gives ${quoted(desk, key)} (word ${key + 1}) ${(100 * rowOf(desk, word)[key]).toFixed(2)}\u00a0%`
}

function drawMap(desk) {
  const { views, words, palette } = desk
  const pen = views.canvas.getContext("2d")
  const style = getComputedStyle(views.stage)
  const family = style.fontFamily
  const width = views.width
  pen.font = `15px ${family}`
  views.widest ??= Math.max(...words.map((word) => pen.measureText(shorten(word, 14)).width))
  const margin = Math.min(Math.ceil(views.widest) + 18, width * 0.3)
  views.window = windowOf(desk, Math.floor((width - margin - 4) / LEAST_CELL_PX))
  const { size, q0, k0 } = views.window
  const cell = Math.min((width - margin - 4) / size, 30)
  const ratio = window.devicePixelRatio || 1
  const height = margin + cell * size + 4
  Object.assign(views.canvas, { width: Math.round((margin + cell * size + 4) * ratio), height: Math.round(height * ratio) })
  Object.assign(views.canvas.style, { width: `${margin + cell * size + 4}px`, height: `${height}px` })
  views.grid = { margin, cell }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.fillStyle = style.getPropertyValue("--st-background-color")
  pen.fillRect(0, 0, width, height)
  const map = mapOf(desk, desk)
  if (views.painted?.map !== map || views.painted.palette !== palette || views.painted.window.join() !== [size, q0, k0].join()) {
    const most = largest(map)
    const small = document.createElement("canvas")
    Object.assign(small, { width: size, height: size })
    paintCells(small, size, size, (k) => map[(q0 + Math.floor(k / size)) * desk.n + k0 + (k % size)] / most, palette)
    views.painted = { map, palette, window: [size, q0, k0], small } // pointing somewhere moves frames only
  }
  pen.imageSmoothingEnabled = false
  pen.drawImage(views.painted.small, margin, margin, cell * size, cell * size)
  pen.strokeStyle = pen.fillStyle = style.color
  pen.globalAlpha = 0.4
  pen.lineWidth = 1
  pen.strokeRect(margin - 0.5, margin - 0.5, cell * size + 1, cell * size + 1)
  pen.globalAlpha = 1
  const word = desk.hover ?? desk.word
  const key = desk.hoverKey ?? keyOf(desk, word)
  const px = Math.min(15, cell * 0.95)
  pen.textBaseline = "middle"
  for (let k = 0; k < size; k += 1) {
    pen.font = `${q0 + k === word ? 700 : 400} ${px}px ${family}`
    pen.textAlign = "right"
    pen.fillText(shorten(words[q0 + k], 14), margin - 6, margin + (k + 0.5) * cell, margin - 8)
    pen.save()
    pen.translate(margin + (k + 0.5) * cell, margin - 6)
    pen.rotate(-Math.PI / 2)
    pen.font = `${k0 + k === word || k0 + k === key ? 700 : 400} ${px}px ${family}`
    pen.textAlign = "left"
    pen.fillText(shorten(words[k0 + k], 14), 0, 0, margin - 8)
    pen.restore()
  }
  const [y, x, own] = [word - q0, key - k0, word - k0]
  pen.lineWidth = 2
  if (y >= 0 && y < size) pen.strokeRect(margin, margin + y * cell, cell * size, cell)
  pen.setLineDash([3, 3])
  if (own >= 0 && own < size) pen.strokeRect(margin + own * cell, margin, cell, cell * size)
  pen.setLineDash([])
  pen.lineWidth = 3.5
  if (y >= 0 && y < size && x >= 0 && x < size) pen.strokeRect(margin + x * cell, margin + y * cell, cell, cell)
  views.canvas.setAttribute("aria-label", `${placeName(desk)}: map of weights, ${size} by ${size} words; ${quoted(desk, desk.word)} looks most at ${quoted(desk, keyOf(desk))}`)
}

// Word and key under the pointer; in a margin only one of the two.
function cellAt(desk, event) {
  const { margin, cell } = desk.views.grid
  const { size, q0, k0 } = desk.views.window
  const { left, top } = desk.views.canvas.getBoundingClientRect()
  const [column, row] = [Math.floor((event.clientX - left - margin) / cell), Math.floor((event.clientY - top - margin) / cell)]
  const [word, key] = [row >= 0 && row < size ? q0 + row : undefined, column >= 0 && column < size ? k0 + column : undefined]
  return word === undefined && key === undefined ? null : { word, key }
}

function drawColumns(desk) {
  const { views, n } = desk
  views.window = windowOf(desk, WINDOW)
  const { size, q0, k0 } = views.window
  const width = Math.min(views.width, 720)
  const column = Math.min(170, width * 0.3)
  const svg = views.columns
  const height = size * LINE_PX + 6
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  svg.style.width = `${width}px`
  svg.style.height = `${height}px`
  svg.replaceChildren()
  svg.setAttribute("aria-label", `${placeName(desk)}: two columns of words with lines; ${quoted(desk, desk.word)} looks most at ${quoted(desk, keyOf(desk))}`)
  const map = mapOf(desk, desk)
  const most = largest(map)
  const lines = shape("g", svg, {})
  const y = (k) => k * LINE_PX + LINE_PX / 2 + 3
  views.lines = []
  for (let q = q0; q < q0 + size; q += 1) {
    for (let k = k0; k < k0 + size; k += 1) {
      const weight = map[q * n + k]
      if (weight <= 1 / n) continue
      const path = shape("path", lines, {
        d: `M${column} ${y(q - q0)}L${width - column} ${y(k - k0)}`, stroke: desk.palette.css(1), "stroke-width": (1 + 5 * weight).toFixed(2),
      })
      views.lines.push({ path, q, k, strength: weight / most })
    }
  }
  views.labels = []
  for (const [side, from, x, anchor] of [["query", q0, column - 8, "end"], ["key", k0, width - column + 8, "start"]]) {
    for (let k = 0; k < size; k += 1) {
      const index = from + k
      const back = shape("rect", svg, { x: side === "query" ? 0 : width - column, y: k * LINE_PX + 3, width: column, height: LINE_PX, class: "back" })
      const text = shape("text", svg, { x, y: y(k) + 5, "text-anchor": anchor })
      text.textContent = shorten(desk.words[index], 16)
      for (const node of [back, text]) Object.assign(node.dataset, { side, index })
      views.labels.push({ back, text, side, index })
    }
  }
  showColumns(desk)
}

// Pointing isolates one word's lines; otherwise all are there, the chosen word's in full.
function showColumns(desk) {
  const { views, palette } = desk
  const alone = desk.hoverKey === null ? desk.hover : null
  const word = desk.hover ?? desk.word
  const lone = desk.hover === null ? desk.hoverKey : null
  for (const { path, q, k, strength } of views.lines) {
    const shown = alone !== null ? q === alone : lone !== null ? k === lone : true
    const strong = alone !== null || lone !== null || q === desk.word
    path.setAttribute("opacity", shown ? (strength * (strong ? 0.95 : 0.3)).toFixed(3) : 0)
  }
  const row = rowOf(desk, word)
  const most = largest(row)
  const into = lone === null ? null : Array.from({ length: desk.n }, (_, q) => mapOf(desk, desk)[q * desk.n + lone])
  const intoMost = into && largest(into)
  for (const { back, text, side, index } of views.labels) {
    const level = lone !== null ? (side === "query" ? into[index] / intoMost : 0) : side === "key" ? row[index] / most : 0
    back.style.fill = palette.css(level, 0.6)
    const marked = lone !== null ? side === "key" && index === lone : index === word
    back.classList.toggle("now", marked && (side === "query" || lone !== null))
    text.classList.toggle("now", marked || index === desk.word)
  }
}

export function showView(desk) {
  if (desk.view === "map") drawMap(desk)
  else showColumns(desk)
  showReadout(desk)
}

export function saveView(desk) {
  if (desk.view === "columns") saveDrawing(`${fileName(desk, "columns")}.svg`, desk.views.columns)
  else desk.views.canvas.toBlob((blob) => save(`${fileName(desk, "map")}.png`, blob))
}
