// The box one types in. What answers to it on the page hears of each edit by `whenEdited`, with no word to Python; the
// text is kept by the server for the next page, and the address follows.
import { ownAddress } from "./address.js"
import { keepText } from "./asking.js"
import { buildCopied, copyLink } from "./copy_link.js"
import { openingReview, tellReview } from "./edits.js"
import { element } from "./elements.js"

const SEND_AFTER_MS = 120 // since the last key: the verdicts
const REST_AFTER_MS = 1000 // since the last key: what costs more
const boxes = new WeakMap()

export default function ({ data: [data], parentElement }) {
  if (!boxes.has(parentElement)) boxes.set(parentElement, build(parentElement, data))
  const box = boxes.get(parentElement)
  box.data = data // but for its text, which is the visitor's from now on
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => {
    if (parentElement.isConnected) return
    settle(box)
    removeEventListener("pagehide", box.onLeave)
    boxes.delete(parentElement)
  }
}

function build(root, data) {
  const { text } = openingReview(data.text)
  const box = { toAddress: ownAddress(), data, timers: [], composing: false, sent: { text, rests: true } }
  const frame = element("div", "frame", root)
  const left = element("div", "left", frame)
  const head = element("div", "head", left)
  const label = element("label", "label", head, "Review")
  label.htmlFor = "review"
  element("div", "hint", head, "The models were trained on English film reviews.").id = "hint"
  box.area = element("textarea", "area", left)
  Object.assign(box.area, { id: "review", rows: 5, dir: "auto", placeholder: "Write what you thought of a film", value: text })
  box.area.setAttribute("aria-describedby", "hint")

  const right = element("div", "right", frame)
  element("div", "label", right, "Try an example").id = "examples"
  box.examples = element("div", "examples", right)
  box.examples.setAttribute("role", "group")
  box.examples.setAttribute("aria-labelledby", "examples")
  for (const { kind, text } of data.examples) {
    const example = element("button", "example", box.examples, kind)
    example.type = "button"
    example.onclick = () => {
      stop(box)
      box.area.value = text
      send(box, true, true)
      remember(box) // also where it is the text that the page opened with
    }
  }
  const share = element("div", "share", right)
  const copying = element("button", "quiet", share, "Copy link")
  copying.type = "button"
  copying.onclick = () => copy(box)
  // In the row above the box, where they push nothing down.
  box.copied = buildCopied(head)

  box.area.oninput = (event) => { if (!event.isComposing && !box.composing) schedule(box) }
  box.area.addEventListener("compositionstart", () => { box.composing = true; stop(box) })
  box.area.addEventListener("compositionend", () => { box.composing = false; schedule(box) })
  box.onLeave = () => { if (!box.composing) settle(box) }
  box.area.onblur = box.onLeave
  addEventListener("pagehide", box.onLeave)
  return box
}

function schedule(box) {
  stop(box)
  box.copied.message.textContent = ""
  box.copied.link.hidden = true
  box.timers = [
    setTimeout(() => send(box, false), SEND_AFTER_MS),
    setTimeout(() => send(box, true), REST_AFTER_MS),
  ]
}

function stop(box) {
  box.timers.forEach(clearTimeout)
  box.timers = []
}

// At once, since the next page may be drawn before the text has rested.
function settle(box) {
  stop(box)
  send(box, true)
}

function send(box, rests, example = false) {
  const text = box.area.value
  if (text === box.sent.text && (box.sent.rests || !rests)) return
  box.sent = { text, rests }
  const kept = text.slice(0, box.data.max_characters)
  tellReview({ text: kept, length: text.length, rests, example })
  if (!rests) return
  remember(box)
  keepText(box.data.token, kept)
}

// The address bar follows the review, so that a reload or a copied address opens the same one.
function remember(box) {
  const fits = box.area.value.trim() && box.area.value.length <= box.data.link_characters
  box.toAddress({ review: fits ? box.area.value : "" })
}

function copy(box) {
  if (!box.area.value.trim()) {
    box.copied.link.hidden = true
    box.copied.message.textContent = "There is no review to link to yet."
    return
  }
  copyLink(box.copied, { text: box.area.value, most: box.data.link_characters, called: "review", remember: () => remember(box) })
}
