// The line one types in, the examples, and how many beginnings beam search keeps.
// Python sets the text by a new `rev`; every edit goes out with the rev that it belongs to.
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"

const SEND_AFTER_MS = 60 // since the last key

export function buildBox(desk, parent) {
  const box = element("div", "box", parent)
  const line = element("div", "entry", box)
  const head = element("label", "spoken", line, "A date, written in English or in numbers")
  head.htmlFor = "date"
  desk.input = element("input", "text", line)
  Object.assign(desk.input, { id: "date", type: "text", autocomplete: "off", spellcheck: false, dir: "auto", placeholder: "3 March 1987" })
  desk.input.oninput = (event) => { if (!event.isComposing && !desk.composing) schedule(desk) }
  desk.input.addEventListener("compositionstart", () => { desk.composing = true; clearTimeout(desk.sending) })
  desk.input.addEventListener("compositionend", () => { desk.composing = false; schedule(desk) })
  desk.input.onblur = () => { if (!desk.composing) send(desk) }

  const choice = element("label", "label search", box, "Search ")
  desk.width = element("select", "model", choice)
  desk.width.onchange = () => send(desk)
  desk.examples = element("div", "examples", box)
  desk.examples.setAttribute("role", "group")
  desk.examples.setAttribute("aria-label", "Examples")
}

export function showBox(desk, header) {
  if (!desk.width.options.length) {
    for (const width of header.widths) {
      const option = element("option", "", desk.width, width === 1 ? "greedy" : `beam of ${width}`)
      option.value = width
    }
    element("span", "label", desk.examples, "Try")
    for (const { kind, text } of header.examples) {
      button(desk.examples, "example", kind, () => {
        desk.input.value = text
        send(desk)
      }).title = text
    }
  }
  if (desk.rev === header.rev) return
  clearTimeout(desk.sending)
  desk.rev = header.rev
  desk.edits = 0
  desk.input.value = header.given
  desk.width.value = header.width
  desk.sent = { text: header.given, width: header.width }
}

function schedule(desk) {
  clearTimeout(desk.sending)
  desk.sending = setTimeout(() => send(desk), SEND_AFTER_MS)
}

function send(desk) {
  clearTimeout(desk.sending)
  const [text, width] = [desk.input.value, Number(desk.width.value)]
  if (desk.sent.text === text && desk.sent.width === width) return
  desk.sent = { text, width }
  desk.edits += 1
  const characters = Array.from(text)
  desk.report({ text: characters.slice(0, desk.header.max_characters).join(""), length: characters.length, width, rev: desk.rev, n: desk.edits })
}
