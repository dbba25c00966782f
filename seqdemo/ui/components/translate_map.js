// The alignment map: a row for each character written, a column for each character read.
const CELL = 26
const GUTTER = 46
const TOP = 34
const FLOOR = 24

function buildMap(desk, parent) {
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
    "on a letter also brings what stands around it.")
}

function showMap(desk) {
  const { header, arrays, palette } = desk
  const [n, m] = [header.characters.length, header.written.length]
  const [width, height] = [GUTTER + n * CELL, TOP + m * CELL + FLOOR]
  desk.scroller.replaceChildren()
  const svg = shape("svg", desk.scroller, { viewBox: `0 0 ${width} ${height}`, role: "img" })
  svg.setAttribute("aria-label", header.map_words)
  // Cells grow with the room there is, within what can still be read and what still fits on a screen.
  svg.style.width = "100%"
  svg.style.minWidth = `${Math.round(width * 0.68)}px`
  svg.style.maxWidth = `${Math.round(width * 1.3)}px`
  const text = (x, y, words, attributes = {}) => {
    const node = shape("text", svg, { x, y, "font-size": 16, "text-anchor": "middle", ...attributes })
    node.textContent = words
    return node
  }
  const strange = new Set(header.unknown)
  desk.tops = header.characters.map((character, j) => text(GUTTER + (j + 0.5) * CELL, TOP - 10, seen(character), { class: strange.has(j) ? "read unknown" : "read" }))
  desk.lefts = header.written.map((character, i) => text(GUTTER - 8, TOP + (i + 0.5) * CELL + 6, character || "end", { "text-anchor": "end" }))
  desk.cells = header.written.map((_, i) => header.characters.map((_, j) => {
    const cell = shape("rect", svg, { x: GUTTER + j * CELL, y: TOP + i * CELL, width: CELL - 1, height: CELL - 1, fill: palette.css(arrays.attention[i * n + j]) })
    cell.onclick = () => { pause(desk); pickCharacter(desk, j); moveTo(desk, i) }
    return cell
  }))
  desk.rowMark = shape("rect", svg, { x: GUTTER - 1.5, width: n * CELL + 1, height: CELL + 1, class: "row-mark" })
  desk.columnMark = shape("rect", svg, { y: TOP - 1.5, width: CELL + 1, height: m * CELL + 1, class: "column-mark" })
  text(GUTTER + (n * CELL) / 2, height - 5, n > 7 ? "your text, character by character" : "your text", { "font-size": 14 })
  desk.svg = svg
}

function markMap(desk) {
  const j = characterOf(desk)
  desk.rowMark.setAttribute("y", TOP + desk.cursor * CELL - 1.5)
  desk.columnMark.setAttribute("x", GUTTER + j * CELL - 1.5)
  desk.tops.forEach((node, k) => node.classList.toggle("now", k === j))
  desk.lefts.forEach((node, k) => node.classList.toggle("now", k === desk.cursor))
}

// A space, and what has no shape of its own, made visible.
function seen(character) {
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
