// The box one types in. Python sets its text by a new `rev` and otherwise never writes to it;
// every edit goes out with the rev it belongs to, so that Python can drop one that came too late.
import { putInAddress } from "./address.js"
import { element } from "./elements.js"

const SEND_AFTER_MS = 120   // since the last key: the verdicts
const SETTLE_AFTER_MS = 1000 // since the last key: the curves, which cost more
const boxes = new WeakMap()

export default function ({ data: [data], parentElement, setStateValue }) {
  if (!boxes.has(parentElement)) boxes.set(parentElement, build(parentElement))
  const box = boxes.get(parentElement)
  box.data = data
  box.report = (edit) => setStateValue("edit", edit)
  if (box.rev !== data.rev) {
    stop(box)
    box.rev = data.rev
    box.area.value = data.text
    box.sent = { text: data.text, settled: true }
    if (box.n > 0) remember(box)
  }
  if (box.kinds !== data.examples.length) showExamples(box)
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => { if (!parentElement.isConnected) stop(box) }
}

function build(root) {
  const box = { n: 0, timers: [], composing: false, rev: null, sent: {} }
  const frame = element("div", "frame", root)
  const left = element("div", "left", frame)
  const head = element("div", "head", left)
  const label = element("label", "label", head, "Review")
  label.htmlFor = "review"
  element("div", "hint", head, "The models were trained on English film reviews.").id = "hint"
  box.area = element("textarea", "area", left)
  Object.assign(box.area, { id: "review", rows: 5, dir: "auto", placeholder: "Write what you thought of a film" })
  box.area.setAttribute("aria-describedby", "hint")

  const right = element("div", "right", frame)
  element("div", "label", right, "Try an example").id = "examples"
  box.examples = element("div", "examples", right)
  box.examples.setAttribute("role", "group")
  box.examples.setAttribute("aria-labelledby", "examples")
  const share = element("div", "share", right)
  const copy = element("button", "quiet", share, "Copy link")
  copy.type = "button"
  copy.onclick = () => copyLink(box)
  // In the row above the box, where they push nothing down.
  box.message = element("div", "message", head)
  box.message.setAttribute("role", "status")
  box.link = element("input", "link", head)
  Object.assign(box.link, { readOnly: true, hidden: true })
  box.link.setAttribute("aria-label", "Link to copy")

  box.area.oninput = (event) => { if (!event.isComposing && !box.composing) schedule(box) }
  box.area.addEventListener("compositionstart", () => { box.composing = true; stop(box) })
  box.area.addEventListener("compositionend", () => { box.composing = false; schedule(box) })
  box.area.onblur = () => { if (!box.composing && box.area.value !== box.sent.text) send(box, false) }
  return box
}

function showExamples(box) {
  box.kinds = box.data.examples.length
  box.examples.replaceChildren()
  for (const { kind, text } of box.data.examples) {
    const button = element("button", "example", box.examples, kind)
    button.type = "button"
    button.onclick = () => {
      stop(box)
      box.area.value = text
      send(box, true, true)
    }
  }
}

function schedule(box) {
  stop(box)
  box.message.textContent = ""
  box.link.hidden = true
  box.timers = [
    setTimeout(() => send(box, false), SEND_AFTER_MS),
    setTimeout(() => send(box, true), SETTLE_AFTER_MS),
  ]
}

function stop(box) {
  box.timers.forEach(clearTimeout)
  box.timers = []
}

function send(box, settled, example = false) {
  const text = box.area.value
  if (text === box.sent.text && (box.sent.settled || !settled)) return
  box.sent = { text, settled }
  box.n += 1
  const kept = text.slice(0, box.data.max_characters)
  box.report({ text: kept, length: text.length, rev: box.rev, n: box.n, settled, example })
  if (settled) remember(box)
}

// The address bar follows the review, so that a reload or a copied address opens the same one.
function remember(box) {
  const fits = box.area.value.trim() && box.area.value.length <= box.data.link_characters
  putInAddress({ review: fits ? box.area.value : "" })
}

async function copyLink(box) {
  const length = box.area.value.length
  const most = box.data.link_characters
  box.link.hidden = true
  if (!box.area.value.trim()) {
    box.message.textContent = "There is no review to link to yet."
    return
  }
  if (length > most) {
    box.message.textContent =
      `This review has ${length.toLocaleString("en")} characters; a link holds up to ${most.toLocaleString("en")}.`
    return
  }
  remember(box)
  const url = location.href
  try {
    await navigator.clipboard.writeText(url) // missing or refused on plain http
    box.message.textContent = "Link copied."
  } catch {
    box.message.textContent = "Copy this link:"
    box.link.value = url
    box.link.hidden = false
    box.link.focus()
    box.link.select()
  }
}
