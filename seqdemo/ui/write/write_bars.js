// What each model holds likely next: a bar a word, filled as far as it is likely, marked where it is drawn with another
// chance. A bar is a button that takes its word.
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"
import { buildColumn } from "./write_column.js"

const ARROWS = { ArrowDown: 1, ArrowUp: -1 }

export function buildBars(desk, parent, take) {
  const columns = element("div", "columns", parent)
  for (const writer of desk.data.writers) {
    const { name, label } = writer
    const column = buildColumn(columns, "column", writer, `Next words of the ${label}`)
    const bars = element("div", "bars", column)
    bars.onkeydown = (event) => {
      const buttons = [...bars.children]
      const move = ARROWS[event.key]
      if (!move) return
      event.preventDefault()
      event.stopPropagation()
      const at = buttons.indexOf(event.composedPath()[0])
      buttons[Math.min(Math.max(at + move, 0), buttons.length - 1)].focus()
    }
    const others = element("p", "rest", column, "\u00a0")
    const never = element("p", "rest", column, "\u00a0")
    desk.writers[name] = { label, bars, others, never, take }
  }
  desk.barsHow = element("p", "how", parent, "\u00a0")
}

export function showBars(desk, answer) {
  const all = Object.values(answer.models).flatMap(({ words }) => words.flatMap(({ p, drawn }) => [p, drawn]))
  const most = Math.max(...all, 0.01)
  desk.barsHow.textContent = `How to read this: a bar is how likely the model holds the word, a full bar ${wholePercent(most)}. The line in it is the chance that it is drawn with, after temperature and cuts; words struck out are cut. Never written are the end of a text, unknown words, slurs and sexual words.`
  for (const [name, { label, bars, others, never, take }] of Object.entries(desk.writers)) {
    const found = answer.models[name]
    const had = [...bars.children].indexOf(bars.getRootNode().activeElement)
    bars.replaceChildren()
    others.textContent = found?.others ?? (answer.failed[name] ? "not loaded" : "\u00a0")
    never.textContent = found?.not_shown ?? "\u00a0"
    if (!found) continue
    for (const { text, written, p, drawn, percent } of found.words) {
      const bar = button(bars, drawn ? "bar-button" : "bar-button cut", "", () => take(desk, written))
      bar.setAttribute("aria-label", `Take \u201c${text}\u201d: ${percent}${drawn ? "" : ", cut"} (${label})`)
      element("span", "word", bar, text)
      const track = element("span", "track", bar)
      element("span", "filled", track).style.width = `${(100 * p) / most}%`
      if (drawn) element("span", "drawn", track).style.left = `${(100 * drawn) / most}%`
      element("span", "value", bar, percent)
    }
    if (had >= 0) bars.children[0].focus() // the word was taken from the keyboard: go on from the likeliest
  }
}

function wholePercent(p) {
  return `${Math.round(100 * p)}\u00a0%`
}
