// The text, large: one word picked, lines to what it looks at, as strong as the weight.
import { element, shape, shorten, strangeness } from "../shared/js/elements.js"
import { saveDrawing } from "../shared/js/parts.js"
import { pick, point } from "./attention.js"
import { fileName, largest, ranked, rowOf, share } from "./attention_weights.js"

const MOST_LINES = 24
const MOST_LABELS = 5
const LARGE = 45, MIDDLE = 100

export function buildSentence(desk, parent) {
  const sentence = { words: [], places: null }
  sentence.root = element("div", "sentence", parent)
  Object.assign(sentence.root, { tabIndex: 0 })
  sentence.root.setAttribute("role", "listbox")
  sentence.root.setAttribute("aria-label", "Words of the text: the chosen one is the one that looks")
  sentence.flow = element("div", "flow", sentence.root)
  const at = (event) => event.target.dataset?.index
  sentence.flow.onclick = (event) => { if (at(event) !== undefined) pick(desk, { word: Number(at(event)) }) }
  sentence.flow.onpointermove = (event) => {
    if (event.pointerType !== "touch") point(desk, at(event) === undefined ? null : Number(at(event)))
  }
  sentence.flow.onpointerleave = () => point(desk, null)
  sentence.observer = new ResizeObserver(() => { sentence.places = null; if (desk.n) drawLines(desk) })
  sentence.observer.observe(sentence.flow)
  return sentence
}

export function fillSentence(desk) {
  const { sentence, header, n } = desk
  const strange = strangeness(header)
  sentence.flow.replaceChildren()
  sentence.root.dataset.size = n <= LARGE ? "large" : n <= MIDDLE ? "middle" : "small"
  sentence.svg = shape("svg", sentence.flow, { class: "lines", "aria-hidden": "true" })
  sentence.words = header.words.map((word, index) => {
    if (index === header.gap) element("span", "cut", sentence.flow, `${header.skipped.toLocaleString("en")} not read`)
    const node = element("span", `word ${strange(index)?.mark ?? ""}${/^[.,;:!?\u2026]+$/.test(word) ? " mark" : ""}`, sentence.flow, shorten(word, 30))
    node.dataset.index = index
    node.id = `word-${index}`
    node.setAttribute("role", "option")
    return node
  })
  sentence.places = null
}

export function showSentence(desk) {
  const { sentence, palette } = desk
  const word = desk.hover ?? desk.word
  const row = rowOf(desk, word)
  const most = largest(row)
  const named = new Set(ranked(row).slice(0, MOST_LABELS).filter((j) => row[j] > 1 / desk.n))
  sentence.words.forEach((node, j) => {
    node.style.background = row[j] / most < 0.03 ? "none" : palette.css(row[j] / most, 0.6) // a line may pass behind
    node.classList.toggle("now", j === word)
    node.classList.toggle("picked", j === desk.word && j !== word)
    node.setAttribute("aria-selected", j === desk.word)
    if (named.has(j)) node.dataset.share = share(row[j])
    else delete node.dataset.share
  })
  sentence.root.setAttribute("aria-activedescendant", `word-${desk.word}`)
  drawLines(desk)
}

function drawLines(desk) {
  const { sentence } = desk
  if (!sentence.svg) return
  const { flow, svg, words } = sentence
  sentence.places ??= words.map((node) => ({ x: node.offsetLeft + node.offsetWidth / 2, top: node.offsetTop, bottom: node.offsetTop + node.offsetHeight }))
  svg.setAttribute("viewBox", `0 0 ${flow.clientWidth} ${flow.scrollHeight}`)
  svg.style.height = `${flow.scrollHeight}px`
  svg.replaceChildren()
  const word = desk.hover ?? desk.word
  const row = rowOf(desk, word)
  const most = largest(row)
  for (const j of ranked(row).slice(0, MOST_LINES).filter((k) => row[k] > 1 / desk.n).reverse()) {
    shape("path", svg, {
      d: arc(sentence.places[word], sentence.places[j]), stroke: desk.palette.css(1),
      "stroke-width": (1.5 + 7 * row[j]).toFixed(2), opacity: (0.2 + 0.55 * (row[j] / most)).toFixed(2),
    })
  }
}

function arc(from, to) {
  if (from === to) return `M${from.x - 7} ${from.top}C${from.x - 24} ${from.top - 26} ${from.x + 24} ${from.top - 26} ${from.x + 7} ${from.top}`
  const apart = Math.abs(to.x - from.x)
  if (Math.abs(from.top - to.top) < 4) {
    const high = from.top - Math.min(8 + apart * 0.12, 34)
    return `M${from.x} ${from.top}C${from.x} ${high} ${to.x} ${high} ${to.x} ${to.top}`
  }
  const [start, end] = to.top > from.top ? [from.bottom, to.top] : [from.top, to.bottom]
  const middle = (start + end) / 2
  return `M${from.x} ${start}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${end}`
}

export function scrollSentence({ sentence, word }) {
  const node = sentence.words[word]
  const { root } = sentence
  if (node.offsetTop < root.scrollTop || node.offsetTop + node.offsetHeight > root.scrollTop + root.clientHeight) {
    root.scrollTop = node.offsetTop - root.clientHeight / 2.5
  }
}

// The same picture as a file of its own: words as text, lines as paths.
export function saveSentence(desk) {
  const { sentence } = desk
  const { flow, svg } = sentence
  const style = getComputedStyle(flow)
  const size = parseFloat(style.fontSize)
  const drawing = shape("svg", flow, { viewBox: `0 0 ${flow.clientWidth} ${flow.scrollHeight}`, class: "lines" })
  for (const node of sentence.words) {
    const [x, y, width, height] = [node.offsetLeft, node.offsetTop, node.offsetWidth, node.offsetHeight]
    const now = node.classList.contains("now")
    shape("rect", drawing, { x, y, width, height, rx: 5, style: `fill: ${node.style.background}; stroke: ${now ? style.color : "none"}; stroke-width: 3px` })
    const text = (content, at, px, weight) => {
      shape("text", drawing, { x: x + width / 2, y: at, style: `fill: ${style.color}; stroke: none; font-size: ${px}px; font-weight: ${weight}; text-anchor: middle` }).textContent = content
    }
    text(node.textContent, y + height / 2 + size * 0.34, size, now ? 700 : 400)
    if (node.dataset.share) text(node.dataset.share, y + height + size * 0.62, size * 0.6, 400)
  }
  for (const path of svg.children) drawing.append(path.cloneNode(true))
  saveDrawing(`${fileName(desk, "sentence")}-word-${desk.word + 1}.svg`, drawing)
  drawing.remove()
}
