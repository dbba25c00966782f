// This review beside many: what is left of its verdict without some words, or how far the rows agree on their order.
import { element } from "../shared/js/elements.js"
import { paletteOf } from "../shared/js/parts.js"
import { drawAgreement } from "./attributions_agreement.js"
import { whenAnswered } from "./attributions_answer.js"
import { drawCurves } from "./attributions_curves.js"

const parts = new WeakMap()
const DRAW = { curves: drawCurves, agreement: drawAgreement }

export default function ({ data: [data], parentElement }) {
  if (!parts.has(parentElement)) parts.set(parentElement, build(parentElement, data.what))
  const part = parts.get(parentElement)
  part.palette = paletteOf(part.frame)
  draw(part)
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => {
    if (parentElement.isConnected) return
    part.deaf()
    part.observer.disconnect()
    parts.delete(parentElement)
  }
}

function build(root, what) {
  const frame = element("section", "frame", root)
  const part = { frame, what, found: null, palette: paletteOf(frame), width: 0 }
  part.plot = element("div", "plot", frame)
  part.below = element("div", "below", frame)
  part.observer = new ResizeObserver(() => { if (part.plot.clientWidth !== part.width) draw(part) })
  part.observer.observe(part.plot)
  part.deaf = whenAnswered(({ answer, stale }) => {
    frame.classList.toggle("stale", stale)
    const found = answer?.[what] ?? null
    if (found === part.found) return
    part.found = found
    draw(part)
  })
  return part
}

function draw(part) {
  const { plot, below, found, what } = part
  part.width = plot.clientWidth
  plot.replaceChildren()
  plot.classList.toggle("waiting", found === null)
  plot.classList.toggle("nothing", Boolean(found?.said))
  if (found?.said) plot.textContent = found.said
  const isOpen = below.querySelector("details")?.open
  below.replaceChildren()
  if (!found || found.said || !part.width) return
  DRAW[what](part)
  const details = below.querySelector("details")
  if (isOpen && details) details.open = true
}
