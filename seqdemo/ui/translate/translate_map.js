// The alignment map: a row for each character written, a column for each character read.
import { element, shape } from "../shared/js/elements.js"
import { button, save, saveCsv, saveDrawing } from "../shared/js/parts.js"
import { characterOf, pickCharacter } from "./translate.js"
import { hundredths } from "./translate_formula.js"

const CELL = 26
const GUTTER = 46
const TOP = 34
const FLOOR = 24
const WHOLE_CAPTION = 290 // as wide as its longer form, in the units of a cell

export function buildMap(desk, parent) {
  const map = element("section", "alignment", parent)
  element("h3", "", map, "Where it looks while it writes (the alignment)")
  desk.scroller = element("div", "scroller", map)
  const below = element("div", "legend", map)
  element("span", "", below, "weight 0 %")
  element("span", "ramp weights", below)
  element("span", "", below, "100 %")
  button(below, "quiet", "Save picture (SVG)", () => saveDrawing("alignment.svg", desk.svg))
  button(below, "quiet", "Save picture (PNG)", () => savePng(desk))
  button(below, "quiet", "All weights as CSV", () => saveWeights(desk))
  element("p", "how", map,
    "How to read this: each row is a step of the decoder, labelled with the character it writes; the stronger a cell\u2019s colour, the more of its weight lies on that " +
    "character of your text. A row sums to 100 %. Click a cell to see its numbers below. The encoder has read the whole text both ways, so a weight " +
    "on a letter also brings what stands around it. From the keyboard: Tab to the letters above the map, left and right for another one, up and down " +
    "for another step.")
}

export function showMap(desk) {
  const { header, arrays, palette } = desk
  const [n, m] = [header.characters.length, header.written.length]
  const [width, height] = [GUTTER + n * CELL, TOP + m * CELL + FLOOR]
  desk.scroller.replaceChildren()
  const svg = shape("svg", desk.scroller, { viewBox: `0 0 ${width} ${height}`, role: "group" })
  svg.setAttribute("aria-label", header.map_words)
  // Cells grow with the room there is, within what can still be read and what still fits on a screen.
  svg.style.width = "100%"
  svg.style.minWidth = `${Math.round(width * 0.68)}px`
  svg.style.maxWidth = `${Math.round(width * 1.3)}px`
  const text = (x, y, words, attributes = {}, parent = svg) => {
    const node = shape("text", parent, { x, y, "font-size": 16, "text-anchor": "middle", ...attributes })
    node.textContent = words
    return node
  }
  const strange = new Set(header.unknown)
  const columns = shape("g", svg, { role: "listbox", "aria-orientation": "horizontal", "aria-label": "Character of your text whose numbers are shown" })
  columns.onkeydown = (event) => walkMap(desk, event)
  desk.tops = header.characters.map((character, j) => {
    const top = text(GUTTER + (j + 0.5) * CELL, TOP - 10, seen(character), { class: strange.has(j) ? "read unknown" : "read", role: "option" }, columns)
    top.onclick = () => pickCharacter(desk, j)
    return top
  })
  desk.lefts = header.written.map((character, i) => text(GUTTER - 8, TOP + (i + 0.5) * CELL + 6, character || "end", { "text-anchor": "end", "aria-hidden": true }))
  desk.cells = header.written.map((_, i) => header.characters.map((_, j) => {
    const cell = shape("rect", svg, { x: GUTTER + j * CELL, y: TOP + i * CELL, width: CELL - 1, height: CELL - 1, fill: palette.css(arrays.attention[i * n + j]) })
    cell.onclick = () => pickCharacter(desk, j, i)
    return cell
  }))
  desk.rowMark = shape("rect", svg, { x: GUTTER - 1.5, width: n * CELL + 1, height: CELL + 1, class: "row-mark" })
  desk.columnMark = shape("rect", svg, { y: TOP - 1.5, width: CELL + 1, height: m * CELL + 1, class: "column-mark" })
  const isWide = n * CELL >= WHOLE_CAPTION
  text(GUTTER + (n * CELL) / 2, height - 5, isWide ? "your text, character by character" : "your text", { "font-size": 14 })
  desk.svg = svg
}

// Left and right pick the character before and after, up and down the step.
function walkMap(desk, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const [j, i, last] = [characterOf(desk), desk.cursor, desk.tops.length - 1]
  const to = { ArrowLeft: [j - 1, i], ArrowRight: [j + 1, i], Home: [0, i], End: [last, i], ArrowUp: [j, i - 1], ArrowDown: [j, i + 1] }[event.key]
  if (!to) return
  event.preventDefault()
  pickCharacter(desk, Math.min(Math.max(to[0], 0), last), Math.min(Math.max(to[1], 0), desk.n - 1))
  desk.tops[desk.character].focus()
}

export function markMap(desk) {
  const j = characterOf(desk)
  const { characters } = desk.header
  desk.rowMark.setAttribute("y", TOP + desk.cursor * CELL - 1.5)
  desk.columnMark.setAttribute("x", GUTTER + j * CELL - 1.5)
  desk.tops.forEach((node, k) => {
    node.classList.toggle("now", k === j)
    node.setAttribute("tabindex", k === j ? 0 : -1)
    node.setAttribute("aria-selected", k === j)
    node.setAttribute("aria-label", `Character ${k + 1}, ${seen(characters[k])}, weight ${hundredths(desk.arrays.attention[desk.cursor * characters.length + k])}`)
  })
  desk.lefts.forEach((node, k) => node.classList.toggle("now", k === desk.cursor))
}

// A space, and what has no shape of its own, made visible.
export function seen(character) {
  return character === " " ? "\u2423" : /^[\s\p{C}]$/u.test(character) ? "\u25a1" : character
}

// The same map as pixels.
function savePng(desk) {
  const { header, arrays, palette } = desk
  const n = header.characters.length
  const { width, height } = desk.svg.viewBox.baseVal
  const canvas = document.createElement("canvas")
  Object.assign(canvas, { width: width * 2, height: height * 2 })
  const pen = canvas.getContext("2d")
  pen.scale(2, 2)
  pen.fillStyle = palette.css(0)
  pen.fillRect(0, 0, width, height)
  const style = getComputedStyle(desk.frame)
  pen.font = `16px ${style.fontFamily}`
  header.written.forEach((_, i) => header.characters.forEach((_, j) => {
    pen.fillStyle = palette.css(arrays.attention[i * n + j])
    pen.fillRect(GUTTER + j * CELL, TOP + i * CELL, CELL - 1, CELL - 1)
  }))
  pen.fillStyle = style.color
  pen.textAlign = "center"
  header.characters.forEach((character, j) => pen.fillText(seen(character), GUTTER + (j + 0.5) * CELL, TOP - 10))
  pen.textAlign = "end"
  header.written.forEach((character, i) => pen.fillText(character || "end", GUTTER - 8, TOP + (i + 0.5) * CELL + 6))
  canvas.toBlob((blob) => save("alignment.png", blob))
}

function saveWeights(desk) {
  const { header, arrays } = desk
  const n = header.characters.length
  const rows = header.written.flatMap((written, i) => header.characters.map((character, j) =>
    [i + 1, written || "end", j + 1, character, arrays.energy[i * n + j], arrays.attention[i * n + j]]))
  saveCsv("alignment.csv", [["step", "written", "position in the text", "character", "e", "weight"], ...rows])
}
