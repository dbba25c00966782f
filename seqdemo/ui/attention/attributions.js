// One text, shaded by several ways to say which words matter: rows under each other, one word marked in all. Asked for
// part by part when an edit rests; the other components of this section hear of each answer.
import { putInAddress, wordInAddress } from "../shared/js/address.js"
import { buildAnswerer } from "../shared/js/asking.js"
import { element, shorten, strangeness } from "../shared/js/elements.js"
import { button, decimal, MINUS, modelMark, paletteOf, saveCsv } from "../shared/js/parts.js"
import { MOST, tellAnswer } from "./attributions_answer.js"

const boards = new WeakMap()
const LONGEST_WORD = 24
const STRONG = 0.25 // from this share of the scale on, a line above or below says the sign too

export default function ({ data: [data], parentElement }) {
  if (!boards.has(parentElement)) boards.set(parentElement, build(parentElement, data))
  const board = boards.get(parentElement)
  board.palette = paletteOf(board.frame)
  const isAnother = board.model !== data.model || board.method !== data.method
  Object.assign(board, { model: data.model, method: data.method })
  board.answerer.take(data)
  if (isAnother) {
    restart(board)
    board.answerer.again()
  }
  if (board.data) show(board)
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => {
    if (parentElement.isConnected) return
    board.answerer.stop()
    board.observer.disconnect()
    document.removeEventListener("seqdemo-word", board.follow)
    boards.delete(parentElement)
    tellAnswer({ answer: null, stale: false })
  }
}

// From the first part on; what is on screen is of another text, model or method.
function restart(board) {
  board.parts = 1
  setStale(board, true)
}

function setStale(board, stale) {
  board.frame.classList.toggle("stale", stale)
  tellAnswer({ answer: board.answer, stale })
}

// Shows what is known, and asks for the next part, unless one types on; while models load, the same is asked again
// anyhow.
function showAnswer(board, answer) {
  board.answer = answer
  board.frame.classList.toggle("empty", answer.said !== "")
  board.frame.classList.toggle("loading", answer.said !== "" && answer.loading.length > 0)
  board.said.textContent = answer.said
  if (answer.said) board.data = null
  else {
    if (board.textId !== answer.rows.text_id) board.picked = null
    board.textId = answer.rows.text_id
    board.data = answer.rows
    show(board)
  }
  board.how.textContent = [board.refused, answer.how].filter(Boolean).join(" ")
  board.completeness.textContent = answer.completeness ?? ""
  setStale(board, board.isTyped)
  if (board.isTyped || answer.parts === answer.n_parts || answer.loading.length) return
  board.parts = answer.parts + 1
  board.answerer.again()
}

function build(root, { token, model, method }) {
  const board = { data: null, answer: null, textId: null, at: null, picked: null, width: 0, model, method, parts: 1,
    isTyped: false, refused: "" }
  board.frame = element("section", "frame empty loading", root)
  board.said = element("div", "said", board.frame)
  board.said.setAttribute("role", "status")
  board.readout = element("div", "readout", board.frame)
  board.rows = element("div", "rows", board.frame)
  board.rows.tabIndex = 0
  board.rows.setAttribute("role", "slider")
  board.rows.setAttribute("aria-label", "Word marked in all rows")
  board.rows.onpointerover = board.rows.onclick = (event) => {
    const index = event.target.dataset?.index
    if (index !== undefined) pick(board, Number(index))
  }
  board.rows.onkeydown = (event) => step(board, event)
  const foot = element("div", "foot", board.frame)
  board.legend = element("div", "legend", foot)
  const label = element("label", "check", foot)
  board.check = element("input", "", label)
  board.check.type = "checkbox"
  board.ownScale = board.check.checked = wordInAddress("scale", ["own"], (sentence) => { board.refused = sentence }) === "own"
  board.check.onchange = () => {
    board.ownScale = board.check.checked
    putInAddress({ scale: board.ownScale ? "own" : "" })
    shade(board)
    move(board, board.at)
  }
  element("span", "", label, "Each row on its own scale")
  button(foot, "quiet", "Save as CSV", () => saveCsv("attributions.csv", table(board.data)))
  board.details = element("details", "", board.frame)
  element("summary", "", board.details, "The data as a table")
  board.table = element("div", "table", board.details)
  board.details.ontoggle = () => { if (board.details.open) showTable(board) }
  board.how = element("p", "how", board.frame)
  board.completeness = element("p", "how", board.frame)
  board.observer = new ResizeObserver(() => {
    if (board.data && board.rows.clientWidth !== board.width) { layOut(board); shade(board); move(board, board.at) }
  })
  board.observer.observe(board.rows)
  board.follow = ({ detail }) => { if (board.data) pick(board, detail) } // a word picked in the views above
  document.addEventListener("seqdemo-word", board.follow)
  board.answerer = buildAnswerer({
    token, kind: "attributions", restOnly: true,
    more: () => ({ model: board.model, method: board.method, parts: board.parts }),
    waits: ({ rests }) => { board.isTyped = !rests; restart(board) },
    show: (answer) => showAnswer(board, answer),
    trouble: (sentence) => { board.how.textContent = sentence || board.answer?.how || "" },
  })
  return board
}

function show(board) {
  const { data } = board
  for (const row of data.rows) {
    const total = row.values?.reduce((sum, value) => sum + Math.abs(value), 0)
    row.strange = new Set(row.unknown)
    row.shares = row.values?.map((value) => (total ? value / total : 0))
  }
  board.strange = strangeness(data)
  board.rows.setAttribute("aria-valuemin", 1)
  board.rows.setAttribute("aria-valuemax", data.words.length)
  layOut(board)
  shade(board)
  move(board, board.picked ?? data.start)
  if (board.details.open) showTable(board)
}

// As many words in each line as fit; every row repeats them in columns of the same width.
function layOut(board) {
  const { rows, data } = board
  const width = rows.clientWidth
  board.width = width
  rows.replaceChildren()
  board.cells = data.rows.map(() => [])
  if (!width) return
  const style = getComputedStyle(rows)
  const size = parseFloat(style.fontSize)
  const measure = document.createElement("canvas").getContext("2d")
  measure.font = `700 ${style.fontSize} ${style.fontFamily}`
  const words = data.words.map((word) => shorten(word, LONGEST_WORD))
  const wide = words.map((word) => measure.measureText(word).width + size * 0.62)
  const room = width - (width < 640 ? 6.4 : 11.5) * size - size
  let start = 0
  while (start < words.length) {
    let end = start + 1, used = wide[start]
    while (end < words.length && end !== data.gap && used + wide[end] <= room) { used += wide[end]; end += 1 }
    if (start === data.gap) element("div", "cut", rows, `${data.skipped.toLocaleString("en")} not read`)
    const block = element("div", "block", rows)
    block.style.gridTemplateColumns = `var(--label) repeat(${end - start}, max-content)`
    data.rows.forEach((row, k) => {
      const name = element("span", "name", block)
      if (row.colour) modelMark(name, row.colour, row.dash)
      element("span", "", name, row.label)
      for (let index = start; index < end; index += 1) {
        const cell = element("span", row.strange.has(index) ? "word unknown" : "word", block, words[index])
        cell.dataset.index = index
        board.cells[k][index] = cell
      }
    })
    start = end
  }
}

// Shares put all rows on one scale: logits and attention have no unit in common, their parts of the whole have.
function shade(board) {
  const { data, palette } = board
  const peak = (row) => Math.max(0, ...(row.shares ?? []).map(Math.abs))
  const most = Math.max(...data.rows.map(peak)) || 1
  data.rows.forEach((row, k) => {
    const end = board.ownScale ? peak(row) || 1 : most
    board.cells[k].forEach((cell, index) => {
      cell.classList.toggle("waiting", !row.shares)
      const t = row.shares ? row.shares[index] / end : 0
      cell.style.background = row.signed ? palette.css(t, MOST) : grey(palette, t)
      const line = row.signed && Math.abs(t) >= STRONG ? (t > 0 ? "inset 0 3px 0" : "inset 0 -3px 0") : ""
      cell.style.boxShadow = line && `${line} ${palette.css(Math.sign(t))}`
    })
  })
  showLegend(board, most)
}

function grey(palette, t) {
  const end = palette.dark ? 170 : 60
  return `rgb(${palette.colour(0).map((channel) => Math.round(channel + (end - channel) * Math.min(t, 1) * MOST)).join(" ")})`
}

function showLegend(board, most) {
  const { legend, palette, data } = board
  legend.replaceChildren()
  const largest = "the row\u2019s largest"
  const ends = board.ownScale ? [largest, largest, largest] : [MINUS + share(most), `+${share(most)}`, share(most)]
  const scale = (before, shades, after) => {
    const group = element("span", "scale", legend)
    element("span", "", group, before)
    element("span", "ramp", group).style.background = `linear-gradient(to right, ${shades.join(", ")})`
    element("span", "", group, after)
  }
  scale(`negative ${ends[0]}`, [-1, -0.5, 0, 0.5, 1].map((t) => palette.css(t, MOST)), `${ends[1]} positive`)
  if (data.rows.some(({ signed }) => !signed)) scale("no direction 0", [0, 0.5, 1].map((t) => grey(palette, t)), ends[2])
}

function pick(board, to) {
  move(board, to)
  board.picked = board.at
}

function move(board, to) {
  const { data } = board
  if (!data.words.length) return
  const index = Math.min(Math.max(to, 0), data.words.length - 1)
  for (const row of board.cells) {
    if (board.at !== null) row[board.at]?.classList.remove("now")
    row[index]?.classList.add("now")
  }
  board.at = index
  board.readout.replaceChildren()
  const where = element("div", "where", board.readout)
  element("span", "", where, `Word ${index + 1} of ${data.words.length}: `)
  const strange = board.strange(index)
  element("strong", strange?.mark ?? "", where, shorten(data.words[index], 40))
  if (strange) element("span", "", where, ` (${strange.said})`)
  const said = data.rows.map((row) => {
    const cell = element("div", "cell", board.readout)
    const head = element("span", "head", cell)
    if (row.colour) modelMark(head, row.colour, row.dash)
    element("span", "", head, row.label)
    const value = row.shares ? (row.signed ? signedShare(row.shares[index]) : share(row.shares[index])) : "…"
    element("strong", "", cell, value)
    element("span", "unit", cell, row.shares && row.signed ? `${signedNumber(row.values[index])} logits` : row.shares ? "of the attention" : row.problem)
    return `${row.label} ${row.shares ? value : "not there yet"}`
  })
  board.rows.setAttribute("aria-valuenow", index + 1)
  board.rows.setAttribute("aria-valuetext", `${data.words[index]}: ${said.join(", ")}`)
}

function step(board, event) {
  const to = {
    ArrowLeft: board.at - 1, ArrowDown: board.at - 1, ArrowRight: board.at + 1, ArrowUp: board.at + 1,
    PageDown: board.at - 10, PageUp: board.at + 10, Home: 0, End: board.data.words.length - 1,
  }[event.key]
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  event.stopPropagation() // the page's other views listen for the same keys
  pick(board, to)
  board.cells[0][board.at]?.scrollIntoView({ block: "nearest" })
}

function table(data) {
  const head = ["", "word", ...data.rows.map((row) => `${row.label} (${row.signed ? "logits" : "share"})`)]
  return [head, ...data.words.map((word, index) => [index + 1, word, ...data.rows.map((row) => row.values?.[index] ?? "")])]
}

function showTable(board) {
  board.table.replaceChildren()
  const made = element("table", "", board.table)
  const [head, ...rows] = table(board.data)
  const top = element("tr", "", element("thead", "", made))
  for (const name of head) element("th", "", top, name).scope = "col"
  const body = element("tbody", "", made)
  for (const [number, word, ...values] of rows) {
    const row = element("tr", "", body)
    element("td", "", row, String(number))
    element("td", "", row, word)
    for (const value of values) element("td", "number", row, value === "" ? "" : decimal(value, 4))
  }
}

function share(value) {
  return `${(value * 100).toFixed(Math.abs(value) < 0.0995 ? 1 : 0)}\u00a0%`
}

function signedShare(value) {
  const text = share(Math.abs(value))
  return parseFloat(text) === 0 ? text : (value < 0 ? MINUS : "+") + text
}

function signedNumber(value) {
  const text = decimal(value)
  return value > 0 && Number(text) !== 0 ? `+${text}` : text
}
