// The text as words, each shaded by P(positive) after it: above the left model, below the right one.
import { element, shorten, strangeness } from "../shared/js/elements.js"

const LONGEST_WORD = 30

export function buildStrip(parent, onPick) {
  const strip = { words: [], tops: null }
  strip.root = element("div", "strip", parent)
  strip.root.setAttribute("aria-hidden", "true") // the scrub bar says the same, word by word
  strip.root.onclick = (event) => {
    const index = event.target.dataset?.index
    if (index !== undefined) onPick(Number(index))
  }
  strip.observer = new ResizeObserver(() => {
    strip.tops = strip.seen = null
    if (strip.now !== undefined && strip.words[strip.now]) scrollStrip(strip)
  })
  strip.observer.observe(strip.root)
  return strip
}

export function fillStrip(strip, header, palette) {
  const { words, gap, skipped, columns } = header
  const strange = strangeness(header)
  strip.root.replaceChildren()
  strip.tops = null
  strip.words = words.map((word, index) => {
    if (index === gap) element("span", "cut", strip.root, `${skipped.toLocaleString("en")} not read`)
    const node = element("span", `word ${strange(index)?.mark ?? ""}`, strip.root, shorten(word, LONGEST_WORD))
    node.title = strange(index)?.said ?? ""
    node.dataset.index = index
    const shades = columns.filter(({ curve, writes }) => curve && !writes).map(({ curve }) => palette.css(2 * curveAt(curve, index).p - 1, 0.6))
    if (shades.length) {
      const [above, below] = [shades[0], shades.at(-1)]
      node.style.background = `linear-gradient(${above} 0 50%, ${below} 50% 100%)`
    }
    return node
  })
}

// Words that are not read yet are veiled; only those that the cursor passed are touched.
export function moveStrip(strip, from, to) {
  const { words } = strip
  if (from === null) words.forEach((node, index) => node.classList.toggle("ahead", index > to))
  else {
    for (let index = Math.min(from, to) + 1; index <= Math.max(from, to); index += 1) {
      words[index].classList.toggle("ahead", index > to)
    }
    words[from].classList.remove("now")
  }
  words[to].classList.add("now")
  strip.now = to
  scrollStrip(strip)
}

function scrollStrip(strip) {
  strip.tops ??= strip.words.map((node) => node.offsetTop)
  const top = strip.tops[strip.now] - strip.tops[0]
  if (strip.seen === top) return // the same line
  strip.seen = top
  strip.root.scrollTop = top - strip.root.clientHeight / 2.5
}

// A curve has a point at every word, or at some: then the last one at or before a word answers for it.
export function curveAt({ steps, values }, index) {
  if (!steps) return { step: index, p: values[index] }
  let k = steps.length - 1
  while (k > 0 && steps[k] > index) k -= 1
  return { step: steps[k], p: values[k] }
}
