// The line one types in, the examples, and how many beginnings beam search keeps.
import { tellEdit } from "../shared/js/edits.js"
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"

const SEND_AFTER_MS = 60 // since the last key

// What was typed before a visit to another page stands there again, unless the address says otherwise.
export function buildBox(desk, parent, data) {
  const linked = new URL(location.href).searchParams.has("text")
  const { text, width } = linked ? data : { ...data, ...desk.hub.typed }
  desk.max = data.max_characters
  const box = element("div", "box", parent)
  const line = element("div", "entry", box)
  const head = element("label", "spoken", line, "A date, written in English or in numbers")
  head.htmlFor = "date"
  desk.input = element("input", "text", line)
  Object.assign(desk.input, { id: "date", type: "text", autocomplete: "off", spellcheck: false, dir: "auto", placeholder: "3 March 1987", value: text })
  desk.input.oninput = (event) => { if (!event.isComposing && !desk.composing) schedule(desk) }
  desk.input.addEventListener("compositionstart", () => { desk.composing = true; clearTimeout(desk.sending) })
  desk.input.addEventListener("compositionend", () => { desk.composing = false; schedule(desk) })
  desk.input.onblur = () => { if (!desk.composing) send(desk) }

  const choice = element("label", "label search", box, "Search ")
  desk.width = element("select", "model", choice)
  for (const choice of data.widths) {
    element("option", "", desk.width, choice === 1 ? "greedy" : `beam of ${choice}`).value = choice
  }
  desk.width.value = width
  desk.width.onchange = () => send(desk)
  const examples = element("div", "examples", box)
  examples.setAttribute("role", "group")
  examples.setAttribute("aria-label", "Examples")
  element("span", "label", examples, "Try")
  for (const example of data.examples) {
    button(examples, "example", example.kind, () => {
      desk.input.value = example.text
      send(desk)
    }).title = example.text
  }
}

function schedule(desk) {
  clearTimeout(desk.sending)
  desk.sending = setTimeout(() => send(desk), SEND_AFTER_MS)
}

export function send(desk) {
  clearTimeout(desk.sending)
  const [text, width] = [desk.input.value, desk.width.value]
  if (desk.sent.text === text && desk.sent.width === width) return
  desk.sent = desk.hub.typed = { text, width }
  const characters = Array.from(text)
  tellEdit({ text: characters.slice(0, desk.max).join(""), length: characters.length, rests: true, example: false })
}
