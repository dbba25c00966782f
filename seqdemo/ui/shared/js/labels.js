// Labels at the ends of lines, which keep a line's height between them and stay inside of the plot.

/**
 * @typedef {{from: number, to?: number}} Label  where its line ends, and where the label is put; in pixels, downwards
 * @param {Label[]} labels sorted here from top to bottom; each gets its `to`
 * @param {{top: number, bottom: number}} box
 * @param {number} gap from one label to the next
 */
export function spreadLabels(labels, box, gap) {
  labels.sort((a, b) => a.from - b.from)
  let least = box.top
  for (const label of labels) {
    label.to = Math.max(label.from, least)
    least = label.to + gap
  }
  let most = box.bottom
  for (const label of labels.toReversed()) {
    label.to = Math.min(label.to, most)
    most = label.to - gap
  }
}
