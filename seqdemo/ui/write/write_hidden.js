// What would stand in the place of a word: a word of the text is picked, and a model that reads both sides of it says so
// beside those that read only what stands before.
import { numberInAddress } from "../shared/js/address.js"
import { showNotices } from "../shared/js/desk.js"
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"
import { buildColumn } from "./write_column.js"

const SIDEWAYS = { ArrowRight: 1, ArrowLeft: -1 }

export function buildHidden(desk, parent) {
  const part = element("section", "hidden-words stale", parent)
  part.hidden = true
  const title = element("h2", "title", part)
  const words = element("div", "places", part)
  words.setAttribute("role", "group")
  words.setAttribute("aria-label", "The word to hide")
  words.onkeydown = (event) => {
    const move = SIDEWAYS[event.key]
    if (!move) return
    event.preventDefault()
    event.stopPropagation()
    const to = [...words.children].indexOf(event.composedPath()[0]) + move
    pick(desk, Math.min(Math.max(to, 0), words.children.length - 1))?.focus()
  }
  const columns = element("div", "columns", part)
  const lists = {}
  for (const reader of desk.data.readers) {
    const column = buildColumn(columns, "column", reader, `What the ${reader.label} would put there`)
    element("p", "rest", column, reader.both ? "reads both sides" : "reads what stands before")
    lists[reader.name] = { list: element("ol", "guesses", column), own: element("p", "rest", column) }
  }
  element("p", "how", part,
    "How to read this: press a word to hide it. The longer a bar, the likelier the model holds the word there. A model that reads both sides knows what follows too; that is also why it cannot write on, where nothing follows yet.")
  desk.hidden = { part, title, words, lists, text: null, at: null, own: false, isLinkTaken: false }
}

// Other words: those of the text that the surprise of its models is known of.
export function offerWords(desk, { words, models }) {
  const { hidden } = desk
  hidden.part.hidden = words.length === 0 || desk.data.readers.length === 0
  hidden.words.replaceChildren()
  hidden.text = desk.area.value
  hidden.part.classList.toggle("stale", !hidden.part.hidden)
  if (hidden.part.hidden) return
  words.forEach((word, k) => { button(hidden.words, "place", word, () => pick(desk, k)) })
  const linked = hidden.isLinkTaken ? null : numberInAddress("word", words.length, (sentence) => desk.refused.push(sentence))
  hidden.isLinkTaken = true
  if (desk.refused.length) showNotices(desk, desk.answer?.notices ?? [])
  pick(desk, linked === null ? mostSurprising(words, models) : linked - 1, linked !== null)
}

// What a link points to is there already; what is picked here goes into it. The words of an earlier text are still
// there, pale, until those of the newest come: they are no words of this one.
function pick(desk, k, isOwn = true) {
  const { hidden } = desk
  if (hidden.text !== desk.area.value) return null
  hidden.at = k
  hidden.own = isOwn
  const buttons = [...hidden.words.children]
  buttons.forEach((made, other) => {
    made.setAttribute("aria-pressed", String(other === k))
    made.tabIndex = other === k ? 0 : -1
  })
  hidden.part.classList.add("stale")
  desk.settle(desk)
  askHidden(desk)
  return buttons[k]
}

// The word that most surprises all of them together, of those that every model knows where there is one.
function mostSurprising(words, models) {
  const found = Object.values(models)
  const bits = words.map((_, k) => found.reduce((sum, each) => sum + each.bits[k], 0))
  const known = words.map((word, k) => /\p{L}/u.test(word) && found.every(({ unknown }) => !unknown.includes(k)))
  const some = known.includes(true) ? bits.map((sum, k) => (known[k] ? sum : -1)) : bits
  return some.indexOf(Math.max(...some))
}

async function askHidden(desk) {
  const text = desk.area.value
  const { hidden } = desk
  const answer = await desk.asker.ask("hidden", { text: text.slice(0, desk.data.most.characters), word: hidden.at })
  if (answer === null || text !== desk.area.value || answer.loading.length) return
  hidden.part.classList.remove("stale")
  hidden.title.textContent = answer.title
  const most = Math.max(0.01, ...Object.values(answer.models).flatMap(({ words }) => words.map(({ p }) => p)))
  for (const [name, { list, own }] of Object.entries(hidden.lists)) {
    list.replaceChildren()
    const found = answer.models[name]
    own.textContent = found?.own ?? answer.failed[name] ?? ""
    for (const { text: word, p, percent, is_it } of found?.words ?? []) {
      const row = element("li", is_it ? "guess is-it" : "guess", list)
      element("span", "word", row, word).title = word
      element("span", "filled", element("span", "track", row)).style.width = `${(100 * p) / most}%`
      element("span", "value", row, percent)
    }
  }
}
