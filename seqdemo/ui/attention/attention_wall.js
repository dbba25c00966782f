// All layers and heads at a glance: a small picture each, with its entropy; a click enlarges it.
import { element } from "../shared/js/elements.js"
import { button, decimal } from "../shared/js/parts.js"
import { pick } from "./attention.js"
import { largest, share } from "./attention_weights.js"

export function buildWall(desk, parent) {
  const wall = { root: element("section", "wall", parent) }
  wall.title = element("h3", "", wall.root)
  wall.grid = element("div", "heads", wall.root)
  wall.grid.setAttribute("role", "grid")
  wall.grid.setAttribute("aria-label", "Heads, one row a layer; arrow keys move, the one in focus is enlarged")
  wall.grid.onkeydown = (event) => moveInWall(desk, event)
  const label = element("label", "check", wall.root)
  wall.shared = element("input", "", label)
  wall.shared.type = "checkbox"
  wall.shared.onchange = () => paintWall(desk)
  element("span", "", label, "One scale for all heads")
  wall.how = element("p", "how", wall.root)
  return wall
}

export function fillWall(desk) {
  const { wall, header, arrays } = desk
  wall.grid.replaceChildren()
  wall.grid.style.setProperty("--heads", header.n_heads)
  wall.title.textContent = `All ${header.n_layers * header.n_heads} heads`
  const names = element("div", "heads-row names", wall.grid)
  names.setAttribute("role", "row")
  const corner = element("span", "", names)
  corner.setAttribute("aria-label", "layer")
  corner.setAttribute("role", "columnheader")
  for (let head = 0; head < header.n_heads; head += 1) element("span", "", names, `head ${head + 1}`).setAttribute("role", "columnheader")
  const side = Math.sqrt(arrays.thumbnails.length / (header.n_layers * header.n_heads))
  wall.cells = []
  for (let layer = 0; layer < header.n_layers; layer += 1) {
    const row = element("div", "heads-row", wall.grid)
    row.setAttribute("role", "row")
    element("span", "layer-name", row, `L${layer + 1}`).setAttribute("role", "rowheader")
    for (let head = 0; head < header.n_heads; head += 1) {
      const at = layer * header.n_heads + head
      const cell = element("div", "head", row)
      cell.setAttribute("role", "gridcell")
      const bits = arrays.entropy[at]
      const made = button(cell, "thumb", "", () => pick(desk, { what: "head", layer, head }))
      made.setAttribute("aria-label", `Layer ${layer + 1}, head ${head + 1}: entropy ${decimal(bits, 1)} bits, largest weight ${share(arrays.peaks[at])}`)
      made.title = `Layer ${layer + 1}, head ${head + 1}\nentropy ${decimal(bits, 1)} bits: as if over ${decimal(2 ** bits, 1)} words\nlargest weight ${share(arrays.peaks[at])}`
      const canvas = element("canvas", "", made)
      Object.assign(canvas, { width: side, height: side })
      element("span", "row-mark", made)
      element("span", "bits", made, decimal(bits, 1))
      wall.cells.push({ button: made, canvas, layer, head })
    }
  }
  wall.side = side
  wall.grid.style.setProperty("--n", desk.n)
  const most = Math.log2(desk.n)
  wall.how.textContent =
    "How to read this: in each picture a row is a word that looks, a column a word that is looked at; the stronger its colour, the more. " +
    `The number is the entropy in bits: 0 is all on one word, ${decimal(most, 1)} is all ${desk.n} words alike. ` +
    "The line marks the chosen word. " + (desk.n > side ? "Neighbouring words are merged, the largest weight kept. " : "")
}

export function paintWall(desk) {
  const { wall, arrays, palette } = desk
  const top = wall.shared.checked ? largest(arrays.peaks) : null
  const size = wall.side * wall.side
  wall.cells.forEach(({ canvas }, at) => {
    const scale = (top === null ? 1 : arrays.peaks[at] / top) / 255
    paintCells(canvas, wall.side, wall.side, (k) => arrays.thumbnails[at * size + k] * scale, palette)
  })
}

// Weights from 0 to 1 as colours, from the paper's to full; deeper on a dark paper.
export function paintCells(canvas, width, height, level, palette) {
  const colours = Array.from({ length: 256 }, (_, k) => palette.colour(k / 255))
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let k = 0; k < width * height; k += 1) {
    const [r, g, b] = colours[Math.round(255 * Math.min(level(k), 1))]
    pixels.set([r, g, b, 255], 4 * k)
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0)
}

export function showWall(desk) {
  const { wall } = desk
  wall.grid.style.setProperty("--row", desk.hover ?? desk.word)
  for (const { button: node, layer, head } of wall.cells) {
    const inside = desk.what === "rollout" || (layer === desk.layer && (desk.what === "mean" || head === desk.head))
    node.classList.toggle("chosen", inside)
    node.setAttribute("aria-pressed", inside)
    node.tabIndex = layer === desk.layer && head === desk.head ? 0 : -1
  }
}

function moveInWall(desk, event) {
  const { n_layers: layers, n_heads: heads } = desk.header
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key]
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  event.stopPropagation()
  const layer = Math.min(Math.max(desk.layer + step[0], 0), layers - 1)
  const head = Math.min(Math.max(desk.head + step[1], 0), heads - 1)
  pick(desk, { what: "head", layer, head })
  desk.wall.cells[layer * heads + head].button.focus()
}
