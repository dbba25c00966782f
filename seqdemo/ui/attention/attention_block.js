// Where one is: the layers in a stack, one of them drawn open, its chosen head filled.
import { element, shape } from "../shared/js/elements.js"
import { decimal } from "../shared/js/parts.js"
import { pick } from "./attention.js"
import { quoted } from "./attention_weights.js"

export function showBlock(desk) {
  const { header, layer, head, word, arrays, n, what } = desk
  const root = desk.formula.block
  root.replaceChildren()
  element("h4", "", root, "Where this happens")
  const layers = header.n_layers
  const svg = shape("svg", root, { viewBox: "0 0 300 470", class: "drawing", role: "img" })
  svg.setAttribute("aria-label", `Drawing of the model: layer ${layer + 1} of ${layers} open, head ${head + 1} of ${header.n_heads} marked`)
  const text = (x, y, said, kind = "", anchor = "middle") => {
    shape("text", svg, { x, y, class: kind, "text-anchor": anchor }).textContent = said
  }
  const box = (x, y, width, height, said, kind = "box") => {
    shape("rect", svg, { x, y, width, height, rx: 5, class: kind })
    if (said) text(x + width / 2, y + height / 2 + 5, said)
  }
  const path = (d, kind = "flow") => shape("path", svg, { d, class: kind })
  const tip = (x, y, left) => path(left ? `M${x + 8} ${y - 5}L${x} ${y}L${x + 8} ${y + 5}` : `M${x - 5} ${y + 8}L${x} ${y}L${x + 5} ${y + 8}`, "tip")
  const plus = (y) => {
    tip(78, y, true)
    shape("circle", svg, { cx: 66, cy: y, r: 10, class: "box" })
    path(`M60 ${y}h12M66 ${y - 6}v12`, "plus")
  }
  box(14, 428, 190, 30, "word + position")
  box(14, 14, 190, 30, "norm, mean, verdict")
  shape("rect", svg, { x: 6, y: 76, width: 250, height: 324, rx: 8, class: "layer" })
  text(248, 95, `layer ${layer + 1} of ${layers}`, "small strong", "end")
  path("M66 428V52", "stream")
  tip(66, 45)
  // Attention first, from below: norm, heads, and what they found is added to the stream.
  path("M66 384H178V366")
  tip(178, 367)
  box(108, 342, 140, 24, "norm")
  path("M178 342V330")
  tip(178, 331)
  shape("rect", svg, { x: 96, y: 266, width: 152, height: 64, rx: 5, class: "here" })
  text(172, 285, "attention", "strong")
  const side = Math.min(22, 136 / header.n_heads - 4)
  for (let h = 0; h < header.n_heads; h += 1) {
    const chosen = what !== "head" || h === head
    shape("rect", svg, { x: 172 + (h - header.n_heads / 2) * (side + 4) + 2, y: 296, width: side, height: Math.min(side, 24), rx: 2, class: chosen ? "chosen" : "idle" })
  }
  path("M178 266V250H76")
  plus(250)
  path("M66 226H178V214")
  tip(178, 215)
  box(108, 190, 140, 24, "norm")
  path("M178 190V178")
  tip(178, 179)
  box(96, 138, 152, 40, "feed-forward")
  path("M178 138V112H76")
  plus(112)
  // The stack of all layers, first one at the bottom.
  const step = 324 / layers
  for (let l = 0; l < layers; l += 1) {
    const chosen = what === "rollout" || l === layer
    const rect = shape("rect", svg, { x: 268, y: 400 - (l + 1) * step + 1.5, width: 22, height: step - 3, rx: 2, class: chosen ? "chosen" : "idle" })
    rect.onclick = () => pick(desk, { what: "head", layer: l })
    shape("title", rect, {}).textContent = `Layer ${l + 1}`
  }
  text(279, 418, "1", "small")
  text(279, 70, String(layers), "small")
  const lengths = [layer - 1, layer].map((l) => (l < 0 ? null : arrays.stream[l * n + word]))
  const note = element("p", "how", root,
    "How to read this: from bottom to top. The thick line (residual connection) carries each word's vector past both parts; attention and feed-forward each take a normalised copy (pre-norm) and add what they find. ")
  note.append(
    lengths[0] === null
      ? `The vector of ${quoted(desk, word)} leaves layer 1 with length ${decimal(lengths[1], 1)}.`
      : `The vector of ${quoted(desk, word)} enters this layer with length ${decimal(lengths[0], 1)} and leaves it with ${decimal(lengths[1], 1)}.`)
}
