// The box that a text is begun in, with beginnings to try, and the way back from a word that was taken.
import { buildCopied, copyLink } from "../shared/js/copy_link.js"
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"

const SEND_AFTER_MS = 120 // since the last key

export function buildBox(desk, parent, text, { edited, writeOn, remember }) {
  const head = element("div", "head", parent)
  const label = element("label", "label", head, "Beginning")
  label.htmlFor = "beginning"
  desk.copied = buildCopied(head)
  desk.undo = button(head, "quiet", "Undo", () => {
    setText(desk, desk.undone.pop())
    edited(desk)
  })
  desk.undo.title = "Take back the word that was taken last"
  button(head, "quiet", "Copy link", () => copyLink(desk.copied, { text: desk.area.value, most: desk.data.most.link, called: "text", remember }))
  button(head, "write", "Write on", () => writeOn(desk))
  desk.area = element("textarea", "area", parent)
  Object.assign(desk.area, { id: "beginning", rows: 2, dir: "auto", spellcheck: false, placeholder: "Begin a sentence about a film", value: text })
  desk.area.oninput = (event) => { if (!event.isComposing && !desk.composing) schedule(desk, edited) }
  desk.area.addEventListener("compositionstart", () => { desk.composing = true; clearTimeout(desk.sending) })
  desk.area.addEventListener("compositionend", () => { desk.composing = false; schedule(desk, edited) })
  const examples = element("div", "examples", parent)
  examples.setAttribute("role", "group")
  examples.setAttribute("aria-label", "Beginnings to try")
  element("span", "label", examples, "Try")
  for (const example of desk.data.examples) {
    button(examples, "example", example.kind, () => {
      desk.undone = []
      setText(desk, example.text)
      edited(desk)
    }).title = example.text
  }
}

function schedule(desk, edited) {
  clearTimeout(desk.sending)
  desk.undone = []
  showUndo(desk)
  desk.sending = setTimeout(() => edited(desk), SEND_AFTER_MS)
}

export function setText(desk, text) {
  desk.area.value = text
  desk.area.scrollTop = desk.area.scrollHeight
}

export function showUndo({ undo, undone }) {
  undo.disabled = undone.length === 0
}
