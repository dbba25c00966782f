// Mean attention by layer, and rollout: which words the layers look at, the same words along every row.
import { element, shorten } from "../shared/js/elements.js"
import { pick, point } from "./attention.js"
import { paintCells } from "./attention_wall.js"
import { largest, mapOf, quoted, ranked, share } from "./attention_weights.js"

const NAMED_WORDS = 6
const LABEL_CELL_PX = 17

export function buildLayers(desk, parent) {
  const layers = { root: element("section", "layers", parent) }
  layers.title = element("h3", "", layers.root)
  layers.stage = element("div", "stage", layers.root)
  layers.canvas = element("canvas", "map", layers.stage)
  layers.canvas.setAttribute("role", "img")
  layers.canvas.onclick = (event) => {
    const at = layerAt(desk, event)
    if (at) pick(desk, { ...at, ...(at.row === desk.header.n_layers ? { what: "rollout" } : at.row === undefined ? {} : { what: "mean", layer: at.row }) })
  }
  layers.canvas.onpointermove = (event) => {
    const at = layerAt(desk, event)
    if (event.pointerType !== "touch") { layers.pointed = at; point(desk, at?.word ?? null) }
  }
  layers.canvas.onpointerleave = () => { layers.pointed = null; point(desk, null) }
  layers.readout = element("div", "readout", layers.root)
  layers.legend = element("div", "legend", layers.root)
  layers.how = element("p", "how", layers.root,
    "How to read this: a row is a layer, a column a word; the stronger the colour, the more the word gets of all words' attention, as a mean over heads. " +
    "The last row is rollout (Abnar and Zuidema 2020): attention followed through all layers, half of each step staying with the word itself. " +
    "The model's verdict is a mean over all words, so this row is each word's share in it, as far as attention alone can say. Click a row to see it above.")
  layers.observer = new ResizeObserver(() => { if (desk.n && layers.width !== layers.stage.clientWidth) drawLayers(desk) })
  layers.observer.observe(layers.stage)
  return layers
}

// Shares of each word: of every layer's mean attention, and in the last row of rollout.
function sharesOf(desk) {
  const { n, arrays, header } = desk
  const shares = new Float32Array((header.n_layers + 1) * n)
  shares.set(arrays.received)
  const map = mapOf(desk, { what: "rollout" })
  for (let k = 0; k < n * n; k += 1) shares[header.n_layers * n + (k % n)] += map[k] / n
  return shares
}

export function fillLayers(desk) {
  const { layers, n, header } = desk
  layers.shares = sharesOf(desk)
  layers.most = largest(layers.shares)
  layers.small = document.createElement("canvas")
  layers.palette = null // not painted yet
  const rollout = layers.shares.subarray(header.n_layers * n)
  layers.first = ranked(rollout)
  const best = layers.first[0]
  layers.title.textContent = n === 1
    ? "With one word, all attention stays with it"
    : `Followed through all layers, ${quoted(desk, best)} gets most: ${share(rollout[best])}, where an even share is ${share(1 / n)}`
}

export function drawLayers(desk) {
  const { layers, n, header, palette, words } = desk
  layers.width = layers.stage.clientWidth
  const pen = layers.canvas.getContext("2d")
  const style = getComputedStyle(layers.stage)
  const family = style.fontFamily
  const margin = 78
  const rows = header.n_layers + 1
  const [line, gap] = [22, 6]
  const cell = Math.min((layers.width - margin - 2) / n, 60)
  const named = cell >= LABEL_CELL_PX ? words.map((_, j) => j) : spaced([...new Set([desk.word, ...layers.first.slice(0, NAMED_WORDS)])], LABEL_CELL_PX / cell)
  pen.font = `15px ${family}`
  const top = Math.min(Math.max(...named.map((j) => pen.measureText(shorten(words[j], 14)).width)) + 18, 124)
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [margin + cell * n + 2, top + rows * line + gap + 2]
  Object.assign(layers.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) })
  Object.assign(layers.canvas.style, { width: `${width}px`, height: `${height}px` })
  layers.grid = { margin, top, cell, line, gap }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.fillStyle = style.getPropertyValue("--st-background-color")
  pen.fillRect(0, 0, width, height)
  const { small, most } = layers
  if (layers.palette !== palette) {
    Object.assign(small, { width: n, height: rows })
    paintCells(small, n, rows, (k) => layers.shares[k] / most, palette)
    layers.palette = palette
  }
  pen.imageSmoothingEnabled = false
  pen.drawImage(small, 0, 0, n, rows - 1, margin, top, cell * n, line * (rows - 1))
  pen.drawImage(small, 0, rows - 1, n, 1, margin, top + line * (rows - 1) + gap, cell * n, line)
  pen.fillStyle = pen.strokeStyle = style.color
  pen.globalAlpha = 0.4
  pen.lineWidth = 1
  pen.strokeRect(margin - 0.5, top - 0.5, cell * n + 1, line * (rows - 1) + 1)
  pen.strokeRect(margin - 0.5, top + line * (rows - 1) + gap - 0.5, cell * n + 1, line + 1)
  pen.globalAlpha = 1
  pen.textBaseline = "middle"
  const word = desk.hover ?? desk.word
  for (const j of named) {
    pen.save()
    pen.translate(margin + (j + 0.5) * cell, top - 6)
    pen.rotate(-Math.PI / 2)
    pen.font = `${j === word ? 700 : 400} 15px ${family}`
    pen.fillText(shorten(words[j], 14), 0, 0, top - 8)
    pen.restore()
  }
  pen.textAlign = "right"
  for (let row = 0; row < rows; row += 1) {
    const chosen = row === header.n_layers ? desk.what === "rollout" : desk.what !== "rollout" && row === desk.layer
    pen.font = `${chosen ? 700 : 400} 15px ${family}`
    pen.fillText(row === header.n_layers ? "rollout" : `layer ${row + 1}`, margin - 8, top + (row + 0.5) * line + (row === header.n_layers ? gap : 0))
  }
  pen.lineWidth = 2
  pen.strokeRect(margin + word * cell, top, Math.max(cell, 2), line * rows + gap)
  layers.canvas.setAttribute("aria-label", `Mean attention of ${header.n_layers} layers and rollout for ${n} words. ${layers.title.textContent}`)
  const row = layers.pointed?.row ?? header.n_layers
  layers.readout.textContent = `${row === header.n_layers ? "Rollout" : `Layer ${row + 1}`}: ${quoted(desk, word)} (word ${word + 1}) gets ${(100 * layers.shares[row * n + word]).toFixed(2)}\u00a0%`
  layers.legend.replaceChildren()
  element("span", "", layers.legend, "0\u00a0%")
  element("span", "ramp", layers.legend)
  element("span", "", layers.legend, `${share(most)} (the largest here)`)
}

// Of words too close for their labels, the first in the list stays.
function spaced(wanted, apart) {
  const kept = []
  for (const j of wanted) if (kept.every((other) => Math.abs(other - j) >= apart)) kept.push(j)
  return kept
}

function layerAt(desk, event) {
  const { margin, top, cell, line, gap } = desk.layers.grid
  const { n_layers: layers } = desk.header
  const bounds = desk.layers.canvas.getBoundingClientRect()
  const word = Math.floor((event.clientX - bounds.left - margin) / cell)
  const y = event.clientY - bounds.top - top
  const row = y < line * layers ? Math.floor(y / line) : Math.floor((y - gap) / line)
  if (row > layers || word >= desk.n) return null
  return { ...(word >= 0 ? { word } : {}), ...(row >= 0 ? { row } : {}) }
}
