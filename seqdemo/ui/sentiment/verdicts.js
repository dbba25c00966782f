// A card for each model, updated in place: nothing moves when an answer arrives.
import { buildAnswerer } from "../shared/js/asking.js"
import { element } from "../shared/js/elements.js"
import { modelMark } from "../shared/js/parts.js"
import { changes } from "./changes.js"

const panels = new WeakMap()

export default function ({ data: [data], parentElement }) {
  if (!panels.has(parentElement)) panels.set(parentElement, build(parentElement, data))
  const panel = panels.get(parentElement)
  for (const card of data.cards) panel.byName.get(card.name).label.textContent = card.label
  panel.answerer.take(data)
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => {
    if (parentElement.isConnected) return
    panel.answerer.stop()
    panels.delete(parentElement)
  }
}

function build(root, data) {
  const frame = element("div", "frame", root)
  const said = element("div", "said", frame)
  const note = element("div", "note", said)
  const notices = element("div", "notices", said)
  const head = element("div", "head", frame)
  notices.setAttribute("role", "status")
  element("h2", "lead", head, data.lead)
  const legend = element("div", "legend absent", head, "▲ ▼ since the last edit")
  legend.setAttribute("aria-hidden", "true") // each card says it to those who listen
  const cards = element("div", "cards", frame)
  const problems = element("div", "problems", frame)
  const spoken = element("div", "spoken", frame)
  spoken.setAttribute("role", "status") // polite
  const byName = new Map(data.cards.map((card) => [card.name, buildCard(cards, card)]))
  const panel = { frame, said, note, notices, legend, problems, spoken, byName, since: { before: {}, now: {}, rests: true } }
  panel.answerer = buildAnswerer({
    token: data.token, kind: "verdicts",
    show: (answer, edit) => show(panel, answer, edit),
    trouble: (sentence) => showTrouble(panel, sentence),
  })
  return panel
}

function show(panel, answer, edit) {
  panel.since = changes(panel.since, edit, answer.verdicts)
  panel.note.textContent = answer.note
  showLines(panel.notices, "notice", answer.notices)
  panel.said.classList.toggle("cut", answer.notices.length > 0)
  panel.legend.classList.toggle("absent", Object.keys(panel.since.deltas).length === 0)
  for (const [name, card] of panel.byName) {
    showCard(card, answer.verdicts[name], panel.since.deltas[name], answer.loading.includes(name), answer.failed[name])
  }
  const problems = Object.entries(answer.failed).map(([name, why]) => `${answer.labels[name]}: ${why}`)
  showLines(panel.problems, "problem", problems)
  if (edit.rests && panel.spoken.textContent !== answer.summary) panel.spoken.textContent = answer.summary
}

// In the place of the note, so that nothing moves; what is on the cards is of an earlier text.
function showTrouble(panel, sentence) {
  panel.frame.classList.toggle("stale", sentence !== "")
  if (sentence) panel.note.textContent = sentence
}

function showLines(parent, className, lines) {
  if (parent.textContent === lines.join("")) return // or they would be read aloud again
  parent.replaceChildren()
  for (const line of lines) element("div", className, parent, line)
}

function buildCard(parent, { name, label, colour, dash }) {
  const card = element("section", "card loading", parent)
  card.dataset.model = name
  card.setAttribute("aria-label", label)
  const head = element("div", "name", card)
  modelMark(head, colour, dash)
  const shown = element("span", "", head, label)
  const percent = element("div", "percent", card, "\u2013")
  const track = element("div", "track", card)
  track.setAttribute("aria-hidden", "true")
  element("span", "band", track)
  element("span", "half", track)
  const dot = element("span", "dot", track)
  dot.style.background = colour
  dot.hidden = true
  const answer = element("div", "answer", card)
  const verdict = element("span", "verdict", answer, "\u00a0")
  const delta = element("span", "delta", answer)
  const change = element("span", "change", delta)
  const since = element("span", "since", delta)
  return { card, label: shown, percent, dot, verdict, change, since }
}

function showCard(at, found, delta, loading, problem) {
  at.card.classList.toggle("loading", loading)
  at.percent.textContent = found ? `${found.percent}\u00a0%` : "\u2013"
  at.dot.hidden = !found
  if (found) at.dot.style.left = `${found.percent}%`
  at.verdict.textContent = problem ? "not loaded" : found?.verdict ?? "\u00a0"
  at.change.textContent = delta === undefined ? "" : delta > 0 ? `▲ ${delta}` : delta < 0 ? `▼ ${-delta}` : "± 0"
  at.since.textContent = delta === undefined ? "" : " since the last edit"
}
