// What hangs on one word: it is deleted, negated or replaced, and five verdicts are drawn before and after.
import { ownAddress } from "../shared/js/address.js"
import { buildAnswerer } from "../shared/js/asking.js"
import { element, shape } from "../shared/js/elements.js"
import { spreadLabels } from "../shared/js/labels.js"
import { button, percent } from "../shared/js/parts.js"

const boards = new WeakMap()
const SETTLE_MS = 300 // since the last key of what is put in a word's place
const HEIGHT = 340, TOP = 14, BOTTOM = 306, LINE = 24

export default function ({ data: [data], parentElement, setStateValue }) {
  if (!boards.has(parentElement)) boards.set(parentElement, build(parentElement, data))
  const board = boards.get(parentElement)
  board.report = (text) => setStateValue("text", text)
  board.answerer.take(data)
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => {
    if (parentElement.isConnected) return
    board.answerer.stop()
    board.observer.disconnect()
    clearTimeout(board.settling)
    boards.delete(parentElement)
  }
}

function build(root, data) {
  const frame = element("section", "frame empty", root)
  // Of the address: `word` holds for the text it was said of, the others for every text.
  const board = {
    frame, toAddress: ownAddress(), edits: data.edits, word: data.word, edit: data.edit, put: data.put, reported: data.text, answer: null, refused: data.refused, trouble: null,
  }
  board.title = element("h3", "title", frame)
  const grid = element("div", "grid", frame)
  board.plot = element("div", "plot", grid)
  buildControls(board, grid, data)
  board.how = element("p", "how", frame,
    "How to read this: a steep line is a verdict that hangs on this word. The dashed line is 50\u00a0%.")
  board.details = element("details", "", frame)
  element("summary", "", board.details, "The data as a table")
  board.table = element("table", "", board.details)
  board.observer = new ResizeObserver(() => { if (board.answer?.lines?.length && board.plot.clientWidth !== board.width) draw(board) })
  board.observer.observe(board.plot)
  board.title.textContent = "The models read the review"
  const stale = (is) => frame.classList.toggle("stale", is)
  board.answerer = buildAnswerer({
    token: data.token, kind: "edit", restOnly: true,
    more: () => ({ word: board.word, edit: board.edit, put: board.put }),
    waits: () => {
      board.word = null
      board.refused = []
      stale(true)
    },
    show: (answer, { text }) => {
      stale(false)
      show(board, answer)
      report(board, text)
    },
    trouble: (sentence) => showTrouble(board, sentence || board.answer?.trouble),
  })
  return board
}

function buildControls(board, parent, data) {
  const side = element("div", "side", parent)
  const word = element("label", "label", side, "Word")
  board.words = element("select", "words", word)
  board.words.setAttribute("aria-label", "Word")
  board.words.onchange = () => choose(board, { word: Number(board.words.value) })
  const what = element("div", "label", side, "What happens to it")
  what.id = "what"
  const kinds = element("div", "kinds", side)
  kinds.setAttribute("role", "group")
  kinds.setAttribute("aria-labelledby", "what")
  board.kinds = Object.entries(data.edits).map(([kind, name]) => {
    const made = button(kinds, "kind", name, () => choose(board, { edit: kind }))
    made.dataset.kind = kind
    return made
  })
  board.putLine = element("label", "label", side, "Put there")
  board.putBox = element("input", "put", board.putLine)
  board.putBox.setAttribute("aria-label", "Put there")
  Object.assign(board.putBox, { type: "text", maxLength: data.most, value: data.put, autocomplete: "off", dir: "auto" })
  board.putBox.oninput = () => {
    clearTimeout(board.settling)
    board.settling = setTimeout(() => choose(board, { put: board.putBox.value }), SETTLE_MS)
  }
  board.trouble = element("p", "trouble", side)
  board.trouble.setAttribute("role", "status")
  board.parts = element("div", "parts", side)
  showKind(board)
}

function choose(board, chosen) {
  Object.assign(board, { refused: [] }, chosen)
  showKind(board)
  remember(board)
  board.answerer.again()
}

function showKind(board) {
  for (const made of board.kinds) made.setAttribute("aria-pressed", String(made.dataset.kind === board.edit))
  board.putLine.hidden = board.edit !== "replace"
}

// Python draws the charts of this page: it hears of each text once, after this part has its answer.
function report(board, text) {
  if (text === board.reported) return
  board.reported = text
  remember(board)
  board.report(text)
}

function remember({ word, edit, put, toAddress }) {
  const replaces = edit === "replace"
  toAddress({ word: word === null ? "" : String(word + 1), edit: edit === "negate" ? "" : edit, put: replaces ? put : "" })
}

function show(board, answer) {
  board.answer = answer
  board.frame.classList.toggle("empty", !answer.lines?.length)
  board.frame.classList.toggle("nothing", Boolean(answer.said))
  board.title.textContent = answer.said || answer.finding
  showTrouble(board, answer.trouble)
  if (answer.said) return
  board.words.replaceChildren()
  for (const [index, label] of answer.words) element("option", "", board.words, label).value = String(index)
  board.words.value = String(answer.word)
  board.parts.replaceChildren()
  for (const part of answer.parts) element("p", "part", board.parts, part)
  if (!answer.lines.length) return
  showTable(board)
  draw(board)
}

function showTrouble({ trouble: at, refused }, sentence) {
  at.textContent = [...refused, sentence].filter(Boolean).join(" ")
}

function draw(board) {
  const { lines } = board.answer
  board.width = board.plot.clientWidth
  const [left, right] = [60, Math.max(160, board.width - 190)]
  const y = (p) => BOTTOM - p * (BOTTOM - TOP)
  board.plot.replaceChildren()
  const svg = shape("svg", board.plot, { width: board.width, height: HEIGHT, role: "img", "aria-label": inWords(lines) })
  for (const [x, name] of [[left, "before"], [right, "after"]]) {
    shape("line", svg, { x1: x, x2: x, y1: TOP, y2: BOTTOM, class: "rule" })
    shape("text", svg, { x, y: HEIGHT - 8, "text-anchor": "middle" }).textContent = String(name)
  }
  shape("line", svg, { x1: left, x2: right, y1: y(0.5), y2: y(0.5), class: "half" })
  for (const { before, after, colour, dash } of lines) {
    shape("line", svg, { x1: left, x2: right, y1: y(before), y2: y(after), stroke: colour, "stroke-width": 3, "stroke-dasharray": dash })
    for (const [x, p] of [[left, before], [right, after]]) shape("circle", svg, { cx: x, cy: y(p), r: 6, fill: colour })
  }
  const sides = [
    { x: left - 12, anchor: "end", words: lines.map(({ before }) => [y(before), `${percent(before)}\u00a0%`]) },
    { x: right + 12, anchor: "start", words: lines.map(({ after, label }) => [y(after), `${percent(after)}\u00a0%  ${label}`]) },
  ]
  for (const { x, anchor, words } of sides) {
    const labels = words.map(([from, text]) => ({ from, text, to: from }))
    spreadLabels(labels, { top: TOP, bottom: BOTTOM }, LINE)
    for (const { to, text } of labels) {
      shape("text", svg, { x, y: to, "text-anchor": anchor, "dominant-baseline": "middle" }).textContent = text
    }
  }
}

function inWords(lines) {
  const parts = lines.map(({ label, before, after }) => `${label} ${percent(before)}\u00a0% to ${percent(after)}\u00a0%`)
  return `P(positive) before and after the edit: ${parts.join(", ")}.`
}

function showTable({ table, answer }) {
  table.replaceChildren()
  const row = (cells, tag) => {
    const line = element("tr", "", table)
    for (const cell of cells) element(tag, "", line, cell)
  }
  row(["model", "P(positive) before", "after"], "th")
  for (const { label, before, after } of answer.lines) row([label, before.toFixed(4), after.toFixed(4)], "td")
}
