// A card for each model, updated in place: nothing moves when an answer arrives.
import { element, shape } from "../shared/js/elements.js"

const panels = new WeakMap()
const LOST_AFTER_MS = 3000

export default function ({ data: [data], parentElement, setStateValue }) {
  if (!panels.has(parentElement)) panels.set(parentElement, build(parentElement))
  const panel = panels.get(parentElement)
  const late = panel.order && compare(data.order, panel.order) < 0
  if (!late) {
    panel.order = data.order
    show(panel, data)
    clearTimeout(panel.timer)
    if (data.again) panel.timer = setTimeout(() => ask(panel, setStateValue), data.again.ms)
  }
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => { if (!parentElement.isConnected) clearTimeout(panel.timer) }
}

// Once more if nothing comes back: a request is lost where the server was just redrawing the page.
function ask(panel, setStateValue) {
  panel.asked += 1
  setStateValue("asked", panel.asked)
  panel.timer = setTimeout(() => ask(panel, setStateValue), LOST_AFTER_MS)
}

function compare([rev, n], [shownRev, shownN]) {
  return rev - shownRev || n - shownN
}

function build(root) {
  const frame = element("div", "frame", root)
  const said = element("div", "said", frame)
  const note = element("div", "note", said)
  const notices = element("div", "notices", said)
  const head = element("div", "head", frame)
  notices.setAttribute("role", "status")
  const lead = element("h2", "lead", head)
  const legend = element("div", "legend", head, "▲ ▼ since the last edit")
  legend.setAttribute("aria-hidden", "true") // each card says it to those who listen
  const cards = element("div", "cards", frame)
  const problems = element("div", "problems", frame)
  const spoken = element("div", "spoken", frame)
  spoken.setAttribute("role", "status") // polite
  return { said, note, notices, lead, legend, cards, problems, spoken, asked: 0, byName: new Map() }
}

function show(panel, data) {
  panel.note.textContent = data.note
  showLines(panel.notices, "notice", data.notices)
  panel.said.classList.toggle("cut", data.notices.length > 0)
  panel.lead.textContent = data.lead
  panel.legend.classList.toggle("absent", data.cards.every(({ delta }) => delta === null))
  for (const card of data.cards) {
    if (!panel.byName.has(card.name)) panel.byName.set(card.name, buildCard(panel.cards, card))
    showCard(panel.byName.get(card.name), card)
  }
  const problems = data.cards.filter(({ problem }) => problem).map(({ label, problem }) => `${label}: ${problem}`)
  showLines(panel.problems, "problem", problems)
  if (panel.spoken.textContent !== data.summary) panel.spoken.textContent = data.summary
}

function showLines(parent, className, lines) {
  if (parent.textContent === lines.join("")) return // or they would be read aloud again
  parent.replaceChildren()
  for (const line of lines) element("div", className, parent, line)
}

function buildCard(parent, { name, label, colour, dash }) {
  const card = element("section", "card", parent)
  card.dataset.model = name
  card.setAttribute("aria-label", label)
  const head = element("div", "name", card)
  mark(head, colour, dash)
  element("span", "", head, label)
  const percent = element("div", "percent", card)
  const track = element("div", "track", card)
  track.setAttribute("aria-hidden", "true")
  element("span", "band", track)
  element("span", "half", track)
  const dot = element("span", "dot", track)
  dot.style.background = colour
  const answer = element("div", "answer", card)
  const verdict = element("span", "verdict", answer)
  const delta = element("span", "delta", answer)
  const change = element("span", "change", delta)
  const since = element("span", "since", delta)
  return { card, percent, dot, verdict, change, since }
}

function showCard(at, { percent, verdict, delta, loading, problem }) {
  const known = percent !== null
  at.card.classList.toggle("loading", loading)
  at.percent.textContent = known ? `${percent}\u00a0%` : "\u2013"
  at.dot.hidden = !known
  if (known) at.dot.style.left = `${percent}%`
  at.verdict.textContent = problem ? "not loaded" : verdict || "\u00a0"
  at.change.textContent = delta === null ? "" : delta > 0 ? `▲ ${delta}` : delta < 0 ? `▼ ${-delta}` : "± 0"
  at.since.textContent = delta === null ? "" : " since the last edit"
}

function mark(parent, colour, dash) {
  const svg = shape("svg", parent, { viewBox: "0 0 30 8", class: "mark", "aria-hidden": "true" })
  const line = { x1: 0, x2: 30, y1: 4, y2: 4, stroke: colour, "stroke-width": 4, "stroke-dasharray": dash }
  shape("line", svg, line)
}
