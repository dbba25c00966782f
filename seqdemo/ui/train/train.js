// Training runs as they grow, one cursor over all panels; playing and scrubbing ask nothing of the server.
import { inAddress, notThere, ownAddress, putInAddress } from "../shared/js/address.js"
import { element, shape, SVG } from "../shared/js/elements.js"
import { spreadLabels } from "../shared/js/labels.js"
import { button, decimal, modelMark, paletteOf, save, unpack } from "../shared/js/parts.js"

const pictures = new WeakMap()
const PLAY_MS = 9000
const SETTLE_MS = 300
const VISITOR = "seqdemo.visitor"

export default function ({ data, parentElement, setStateValue }) {
  if (!pictures.has(parentElement)) pictures.set(parentElement, buildPicture(parentElement))
  const picture = pictures.get(parentElement)
  const { header, arrays } = unpack(data)
  const isNew = picture.id !== header.id
  const isFirst = picture.id === null
  const hasBegun = isNew && !isFirst && header.live
  picture.header = header
  picture.arrays = arrays
  picture.id = header.id
  if (isNew) picture.at = null // follows the end
  putInAddress(header.address)
  rememberVisitor(header.visitor, setStateValue)
  picture.toLink = header.runs.length > 0 && (isFirst || picture.toLink)
  drawPicture(picture)
  if (isNew && !isFirst && !picture.toLink) remember(picture)
  if (hasBegun) bringIntoView(picture)
  if (header.play && picture.played !== header.play) play(picture, true)
  picture.played = header.play
  // Also called, with the page still there, for a call that newer data overtook while this file loaded.
  return () => {
    if (parentElement.isConnected) return
    picture.observer.disconnect()
    cancelAnimationFrame(picture.frame)
    clearTimeout(picture.settling)
  }
}

function buildPicture(root) {
  const frame = element("section", "frame", root)
  const picture = { root: frame, toAddress: ownAddress(), id: null, at: null, frame: 0, playing: false, played: 0 }
  picture.title = element("h2", "title", frame)
  picture.empty = element("div", "empty", frame)
  const bar = element("div", "bar", frame)
  picture.play = button(bar, "play", "Play", () => play(picture, !picture.playing))
  picture.scrub = element("input", "", bar)
  Object.assign(picture.scrub, { type: "range", min: 0, step: 0.1 })
  picture.scrub.setAttribute("aria-label", "Epoch")
  picture.scrub.oninput = () => {
    play(picture, false)
    goTo(picture, Number(picture.scrub.value))
    remember(picture)
  }
  picture.where = element("span", "where", bar)
  button(bar, "", "PNG", () => savePng("training.png", picture))
  picture.refused = element("p", "refused", frame)
  picture.refused.setAttribute("role", "status")
  const panels = element("div", "panels", frame)
  picture.samples = element("section", "samples", panels)
  const panel = (name, large) => {
    const box = element("div", large ? "panel large" : "panel", panels)
    element("h3", "name", box, name)
    return element("div", "plot", box)
  }
  picture.plots = {
    accuracy: panel("Answered rightly", true),
    loss: panel("Loss"),
    norm: panel("Gradient norm before clipping"),
    profile: panel("How strongly the loss feels each step (‖∂L/∂hₜ‖)", true),
  }
  picture.lossName = picture.plots.loss.previousSibling
  picture.profileName = picture.plots.profile.previousSibling
  picture.maps = element("div", "maps", panels)
  picture.how = element("p", "how", frame)
  picture.observer = new ResizeObserver(() => {
    if (picture.header && picture.plots.accuracy.clientWidth !== picture.width) drawPicture(picture)
  })
  picture.observer.observe(frame)
  return picture
}

// The name by which the server knows whose runs these are. The first one that it gives to this browser stays; the
// address does not hold it, so that a link lets others watch and no more.
function rememberVisitor(offered, setStateValue) {
  if (!offered) return
  try {
    const known = localStorage.getItem(VISITOR)
    if (!/^[0-9a-f]{32}$/.test(known)) localStorage.setItem(VISITOR, offered)
    else if (known !== offered) setStateValue("visitor", known)
  } catch {
    // A browser that keeps nothing: after a reload its runs can be watched only.
  }
}

// The button that starts runs stands below the form, where their curves may be out of sight.
function bringIntoView({ root, title }) {
  const { top } = title.getBoundingClientRect()
  if (top > 0 && top < innerHeight / 2) return
  const rows = root.getRootNode().host?.closest(".st-key-train_watch") ?? root
  rows.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" })
}

// --- the way from a message to lines ---

function series(picture, k, name, at) {
  const xs = picture.arrays[`${k}.${at}`]
  const ys = picture.arrays[`${k}.${name}`]
  const points = []
  for (let i = 0; i < ys.length; i += 1) if (Number.isFinite(ys[i])) points.push([xs[i], ys[i]])
  return points
}

function drawPicture(picture) {
  const { header, plots } = picture
  const { runs } = header
  picture.title.textContent = header.title
  picture.empty.textContent = header.invitation
  picture.how.textContent = header.how
  picture.root.classList.toggle("nothing", runs.length === 0)
  picture.width = plots.accuracy.clientWidth
  if (!runs.length || !picture.width) return
  picture.lossName.textContent = `Loss (${header.loss})`
  picture.total = Math.max(...runs.map(({ epochs }) => epochs))
  picture.end = Math.max(0, ...runs.map((_, k) => Math.max(picture.arrays[`${k}.step_at`].at(-1) ?? 0, picture.arrays[`${k}.epoch_at`].at(-1) ?? 0)))
  picture.scrub.max = picture.total
  picture.lines = []
  const per = (name, at, thin = false) => runs.map((run, k) => ({ run, k, thin, points: series(picture, k, name, at) }))
  const known = runs.filter(({ guess }) => guess !== null)
  const guesses = [...new Map(known.map(({ guess }) => [guess, { y: guess, text: "always the same answer" }])).values()]
  const bags = [...new Map(runs.filter(({ bag }) => bag !== null).map(({ bag }) => [bag, { y: bag, text: "counting words" }])).values()]
  const ceilings = [...new Set(runs.map(({ ceiling }) => ceiling))].filter((y) => y < 1).map((y) => ({ y, text: "no more labels are right" }))
  const apart = bags.filter(({ y }) => Math.abs(y - (guesses[0]?.y ?? 0)) > 0.04)
  drawLines(picture, plots.accuracy, {
    lines: [...per("train_accuracy", "epoch_at", true), ...per("validation_accuracy", "epoch_at")],
    low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (y) => `${Math.floor(100 * y + 0.5)}\u00a0%`,
    rules: [...guesses, ...apart, ...ceilings], axis: "epoch", large: true,
  })
  const losses = [...per("loss", "step_at", true), ...per("validation_loss", "epoch_at")]
  const guessLoss = Math.max(...(known.length ? known : [{ guess_loss: 1 }]).map(({ guess_loss: y }) => y))
  const most = Math.max(guessLoss, ...losses.flatMap(({ points }) => points.map(([, y]) => y)))
  const better = new Map(runs.flatMap(({ known_losses: found }) => Object.entries(found)))
  const rule = known.length ? [{ y: guessLoss, text: "always the same answer" }] : []
  rule.push(...[...better].map(([text, y], k) => ({ y, text, below: k === better.size - 1 })))
  if (most > 6 * guessLoss) drawLines(picture, plots.loss, { lines: losses, rules: rule, axis: "epoch", ...logScale(losses) })
  else drawLines(picture, plots.loss, { lines: losses, rules: rule, axis: "epoch", ...lossScale(most, [...better.values()]) })
  const norms = per("norm", "step_at")
  drawLines(picture, plots.norm, { lines: norms, rules: clipRules(runs), axis: "epoch", dots: false, fine: true, ...logScale(norms) })
  picture.heat = heatOf(picture)
  buildMaps(picture)
  buildSamples(picture)
  if (picture.toLink) goToLink(picture)
  moveTo(picture)
}

// From 0 on; where it is known what can be had at best and what pairs come to, around these, since all else is learned in
// no time.
function lossScale(most, known) {
  const format = (y) => y.toFixed(2)
  if (known.length < 2) {
    const high = 1.08 * most
    return { low: 0, high, ticks: niceTicks(high), format }
  }
  const [best, other] = [Math.min(...known), Math.max(...known)]
  const room = Math.max(0.15, 2 * (other - best))
  const [low, high] = [best - room / 2, other + 2 * room]
  return { low, high, ticks: [low, best, other, high].map((y) => Math.round(100 * y) / 100), format }
}

function clipRules(runs) {
  const at = [...new Set(runs.map(({ clip }) => clip))].filter((clip) => clip > 0)
  return at.map((y) => ({ y, text: `clipped to ${y}` }))
}

function niceTicks(high) {
  const raw = high / 3
  const unit = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].find((m) => m * unit >= raw) * unit
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, k) => k * step)
}

function logScale(lines, values = lines.flatMap(({ points }) => points.map(([, y]) => y))) {
  const logs = values.filter((y) => y > 0).map(Math.log10)
  let [low, high] = logs.length ? [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))] : [-2, 0]
  if (high === low) high += 1
  low = Math.max(low, high - 30)
  const step = Math.ceil((high - low) / 4)
  const ticks = []
  for (let tick = high; tick >= low; tick -= step) ticks.push(10 ** tick)
  return { low, high, log: true, ticks, format: (y) => number(y), tickFormat: (y) => power(Math.round(Math.log10(y))) }
}

function power(exponent) {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹"
  return `10${exponent < 0 ? "⁻" : ""}${[...String(Math.abs(exponent))].map((digit) => digits[digit]).join("")}`
}

function number(y) {
  if (y === 0) return "0"
  if (y >= 0.01 && y < 1000) return y >= 100 ? y.toFixed(0) : y >= 1 ? y.toFixed(1) : y.toFixed(2)
  const exponent = Math.floor(Math.log10(y))
  return `${(y / 10 ** exponent).toFixed(0)}·${power(exponent)}`
}

// --- one panel of lines ---

function drawLines(picture, plot, { lines, low, high, ticks, format, tickFormat = format, log = false, rules = [], axis, dots = true, large = false, fine = false, xs = null }) {
  plot.replaceChildren()
  const [width, height] = [plot.clientWidth, plot.clientHeight]
  const style = getComputedStyle(plot)
  const size = parseFloat(style.fontSize)
  const measure = document.createElement("canvas").getContext("2d")
  measure.font = `${style.fontSize} ${style.fontFamily}`
  // Names stand in the large panels; the small ones keep their width for the curves, which have the same colours and dashes.
  const words = (label, value) => (large ? `${shortLabel(picture, label, width)} ${value}` : value)
  const widest = Math.max(...picture.header.runs.map(({ label }) => measure.measureText(words(label, format(log ? 1e-9 : 1))).width))
  const box = { left: size * 3.9, right: width - widest - size * 1.8, top: size * 0.8, bottom: height - size * 2.1 }
  const first = xs ? xs[0] : 0
  const last = xs ? xs[1] : picture.total
  const x = (value) => box.left + ((box.right - box.left) * (value - first)) / (last - first || 1)
  const share = (value) => ((log ? Math.log10(Math.max(value, 10 ** low)) : value) - low) / (high - low)
  const y = (value) => box.bottom - (box.bottom - box.top) * Math.min(1, Math.max(0, share(value)))
  const svg = shape("svg", plot, { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" })
  for (const tick of ticks) {
    shape("line", svg, { x1: box.left, x2: box.right, y1: y(tick), y2: y(tick), class: "rule" })
    shape("text", svg, { x: box.left - size * 0.5, y: y(tick) + size * 0.35, "text-anchor": "end" }).textContent = tickFormat(tick)
  }
  const steps = xs ? 5 : Math.min(last, Math.max(2, Math.floor((box.right - box.left) / (size * 3))))
  const every = Math.max(1, Math.ceil((last - first) / steps))
  for (let tick = first; tick <= last; tick += every) {
    shape("text", svg, { x: x(tick), y: box.bottom + size * 1.3, "text-anchor": "middle" }).textContent = tick
  }
  const captionAt = Math.min(box.right + size * 1.1, width - measure.measureText(axis).width - 1)
  const caption = shape("text", svg, { x: captionAt, y: box.bottom + size * 1.3 })
  caption.textContent = axis
  for (const { y: value } of rules) {
    if (share(value) < 0 || share(value) > 1.02) continue
    shape("line", svg, { x1: box.left, x2: box.right, y1: y(value), y2: y(value), class: "guess" })
  }
  const clip = `clip-${Math.random().toString(36).slice(2)}`
  const bright = shape("rect", shape("clipPath", svg, { id: clip }), { x: 0, y: 0, width, height })
  for (const { run, points, thin } of lines) {
    if (!points.length) continue
    const d = points.map(([px, py], i) => `${i ? "L" : "M"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join("")
    const drawn = { d, stroke: run.colour, "stroke-dasharray": thin ? "" : run.dash }
    const kind = thin ? "line thin" : fine ? "line fine" : "line"
    shape("path", svg, { ...drawn, class: `${kind} faint` })
    const path = shape("path", svg, { ...drawn, class: kind })
    path.setAttribute("clip-path", `url(#${clip})`)
    if (thin || !dots) continue
    for (const [px, py] of points) {
      const dot = shape("circle", svg, { cx: x(px), cy: y(py), r: 3.5, fill: run.colour })
      dot.setAttribute("clip-path", `url(#${clip})`)
    }
  }
  for (const { y: value, text, below = false } of rules) { // after the lines, so that these do not cross the words
    if (share(value) < 0 || share(value) > 1.02) continue
    const above = !below && y(value) - box.top > size * 1.6
    const place = { x: box.left + 6, y: y(value) + (above ? -size * 0.4 : size * 1.15), class: "note" }
    shape("text", svg, place).textContent = text
  }
  const cursor = shape("line", svg, { y1: box.top, y2: box.bottom, class: "cursor", visibility: "hidden" })
  const ends = shape("g", svg, {})
  const move = (at) => {
    const px = at === null ? width : x(at) + 1
    bright.setAttribute("width", Math.max(0, px))
    cursor.setAttribute("visibility", at === null ? "hidden" : "visible")
    if (at !== null) for (const side of ["x1", "x2"]) cursor.setAttribute(side, x(at))
    ends.replaceChildren()
    /** @type {{run: any, from: number, to?: number, value: any, px: number}[]} */
    const labels = []
    for (const { run, points, thin } of lines) {
      if (thin) continue
      const point = valueAt(points, at)
      if (point) labels.push({ run, from: y(point[1]), value: format(point[1]), px: x(point[0]) })
    }
    spreadLabels(labels, box, size * 1.2)
    for (const { run, from, to, value, px: end } of labels) {
      shape("line", ends, { x1: Math.max(end + 4, box.right - 4), x2: box.right + size * 0.9, y1: from, y2: to, class: "lead", stroke: run.colour })
      shape("text", ends, { x: box.right + size * 1.2, y: to + size * 0.35 }).textContent = words(run.label, value)
    }
    svg.setAttribute("aria-label", `${plot.previousSibling.textContent}: ${labels.map(({ run, value }) => `${run.label} ${value}`).join(", ")}`)
  }
  if (!xs) picture.lines.push(move)
  else move(null)
}

// Where there is little room, what all labels begin with says nothing.
function shortLabel({ header }, label, width) {
  const most = width < 420 ? 14 : 24
  const head = label.slice(0, label.indexOf(", ") + 2)
  const alike = head && header.runs.length > 1 && header.runs.every((run) => run.label.startsWith(head))
  const said = alike && label.length > most ? label.slice(head.length) : label
  return said.length > most ? `${said.slice(0, most - 1)}…` : said
}

function valueAt(points, at) {
  if (at === null) return points.at(-1)
  let found = points[0]
  for (const point of points) {
    if (point[0] > at + 1e-6) break
    found = point
  }
  return found
}

// --- gradients over time steps, epoch by epoch ---

function heatOf(picture) {
  const found = picture.header.runs.map((run, k) => ({ run, values: picture.arrays[`${k}.gradients`], steps: run.steps }))
  const logs = []
  for (const { values } of found) for (const value of values) if (value > 0) logs.push(Math.log10(value))
  const [lowest, high] = logs.length ? [Math.floor(logs.reduce((a, b) => Math.min(a, b))), Math.ceil(logs.reduce((a, b) => Math.max(a, b)))] : [-2, 0]
  const low = high === lowest ? lowest - 1 : lowest
  return { runs: found, low: Math.max(low, high - 16), high }
}

function buildMaps(picture) {
  const { maps, heat } = picture
  maps.replaceChildren()
  const wide = element("div", "wide", maps)
  element("h3", "name", wide, "The same after every epoch, one row each")
  const scale = element("span", "scale", wide)
  const palette = paletteOf(picture.root)
  element("span", "", scale, power(heat.low))
  const ramp = element("i", "", scale)
  ramp.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((t) => palette.css(t)).join(", ")})`
  element("span", "", scale, power(heat.high))
  heat.rows = heat.runs.map(({ run, values, steps }) => {
    const map = element("div", "map", maps)
    const head = element("div", "head", map)
    modelMark(head, run.colour, run.dash)
    element("span", "", head, run.label)
    const box = element("div", "box", map)
    const canvas = element("canvas", "", box)
    const n = steps ? values.length / steps : 0
    canvas.width = Math.max(1, steps)
    canvas.height = run.epochs + 1
    canvas.setAttribute("role", "img")
    canvas.setAttribute("aria-label", `${run.label}: strength of the gradient at ${steps} steps after each of ${n} epochs`)
    if (n) {
      const context = canvas.getContext("2d")
      const image = context.createImageData(canvas.width, canvas.height)
      for (let i = 0; i < values.length; i += 1) {
        const t = values[i] > 0 ? (Math.log10(values[i]) - heat.low) / (heat.high - heat.low) : 0
        image.data.set([...palette.colour(Math.max(0, t)), 255], 4 * i)
      }
      context.putImageData(image, 0, 0)
    }
    const top = element("span", "at", box, "0")
    const bottom = element("span", "at", box, String(run.epochs))
    top.style.top = "0"
    bottom.style.bottom = "0"
    const foot = element("div", "foot", map)
    for (const words of ["first step", "last step"]) element("span", "", foot, words)
    const row = element("div", "row", box)
    row.style.height = `${100 / (run.epochs + 1)}%`
    return { row, n, run }
  })
}

function moveMaps(picture) {
  const { heat, at } = picture
  const shown = at === null ? Infinity : Math.floor(at + 1e-6)
  const key = `${shown}.${heat.runs.map(({ values }) => values.length)}.${picture.width}`
  for (const { row, n, run } of heat.rows) {
    row.hidden = !n
    row.style.top = `${(100 * Math.min(shown, n - 1)) / (run.epochs + 1)}%`
  }
  if (picture.profiled === key && picture.plots.profile.firstChild) return
  picture.profiled = key
  const lines = heat.runs.map(({ run, values, steps }, k) => {
    const n = steps ? values.length / steps : 0
    const epoch = Math.min(shown, n - 1)
    const points = []
    for (let t = 0; t < steps && n; t += 1) if (values[epoch * steps + t] > 0) points.push([t + 1, values[epoch * steps + t]])
    return { run, k, points }
  })
  const epoch = Math.min(shown, Math.max(...heat.rows.map(({ n }) => n - 1)))
  const when = epoch > 0 ? `after epoch ${epoch}` : "before training"
  picture.profileName.textContent = `How strongly the loss feels each step, ${when} (‖∂L/∂hₜ‖)`
  const ten = logScale([], heat.runs.flatMap(({ values }) => [...values]).filter((value) => value > 10 ** heat.low))
  const longest = Math.max(2, ...heat.runs.map(({ steps }) => steps))
  drawLines(picture, picture.plots.profile, { lines, axis: "step", dots: false, large: true, xs: [1, longest], ...ten })
}

// --- the cursor ---

function goTo(picture, at) {
  picture.at = at >= picture.end ? null : at
  moveTo(picture)
}

// Where a link points to, once there is something to point at: an epoch, with a tenth of it.
function goToLink(picture) {
  picture.toLink = false
  const found = inAddress("epoch")
  if (!found) return
  const at = /^\d{1,4}(\.\d)?$/.test(found) ? Number(found) : null
  if (at === null || at > picture.total) picture.refused.textContent = notThere("epoch", found, `0 to ${picture.total}`)
  if (at !== null) goTo(picture, at)
}

// The address opens this epoch again, once one rests there.
function remember(picture) {
  picture.refused.textContent = ""
  clearTimeout(picture.settling)
  picture.settling = setTimeout(() => picture.toAddress({ epoch: picture.at === null ? "" : String(picture.at) }), SETTLE_MS)
}

function moveTo(picture) {
  const { at, end } = picture
  const shown = at === null ? end : at
  picture.scrub.value = shown
  const live = picture.header.live && at === null
  picture.where.textContent = `${live ? "Live: epoch" : "Epoch"} ${shown.toFixed(1)} of ${picture.total}`
  picture.scrub.setAttribute("aria-valuetext", picture.where.textContent)
  for (const move of picture.lines) move(at)
  moveMaps(picture)
  moveSamples(picture)
}

// --- what models that foretell words write, after every epoch ---

function buildSamples(picture) {
  const { samples, header: { runs } } = picture
  const writers = runs.map((run, k) => ({ run, k })).filter(({ run }) => run.samples.length)
  samples.replaceChildren()
  samples.hidden = writers.length === 0
  if (samples.hidden) return
  picture.samplesName = element("h3", "name", samples)
  picture.writers = writers.map(({ run, k }) => {
    const box = element("div", "sample", samples)
    const head = element("div", "head", box)
    modelMark(head, run.colour, run.dash)
    element("span", "", head, run.label)
    return { run, losses: series(picture, k, "validation_loss", "epoch_at"), about: element("span", "about", head), text: element("p", "text", box) }
  })
}

function moveSamples(picture) {
  const { samples, writers, at } = picture
  if (samples.hidden) return
  const shown = at === null ? Infinity : Math.floor(at + 1e-6)
  const epoch = Math.min(shown, Math.max(...writers.map(({ run }) => run.samples.length - 1)))
  picture.samplesName.textContent = epoch ? `What they write after epoch ${epoch}` : "What they write before training"
  for (const { run, losses, about, text } of writers) {
    const own = Math.min(epoch, run.samples.length - 1)
    const { text: written, verbs_agree: right, verbs } = run.samples[own]
    const perplexity = losses[own] ? `perplexity ${decimal(Math.exp(losses[own][1]), Math.exp(losses[own][1]) < 20 ? 2 : 0)}` : ""
    about.textContent = [perplexity, verbs === undefined ? "" : `${right} of ${verbs} verbs agree`].filter(Boolean).join(", ")
    text.textContent = `${written} \u2026`
  }
}

function play(picture, on) {
  cancelAnimationFrame(picture.frame)
  picture.playing = on && picture.end > 0
  picture.play.textContent = picture.playing ? "Pause" : "Play"
  if (!picture.playing) return
  const from = picture.at === null || picture.at >= picture.end ? 0 : picture.at
  let begun = null
  const tick = (now) => {
    begun ??= now
    const at = from + ((now - begun) / PLAY_MS) * picture.end
    if (at >= picture.end) {
      picture.at = null
      moveTo(picture)
      play(picture, false)
      return
    }
    picture.at = at
    moveTo(picture)
    picture.frame = requestAnimationFrame(tick)
  }
  picture.frame = requestAnimationFrame(tick)
}

// --- all panels as one picture ---

async function savePng(name, picture) {
  const svgs = [...picture.root.querySelectorAll(".plot svg")]
  const gap = 34
  const width = Math.max(...svgs.map((svg) => svg.clientWidth))
  const height = svgs.reduce((sum, svg) => sum + svg.clientHeight + gap, gap)
  const canvas = document.createElement("canvas")
  Object.assign(canvas, { width: 2 * width, height: 2 * height })
  const context = canvas.getContext("2d")
  context.scale(2, 2)
  const style = getComputedStyle(picture.root)
  context.fillStyle = style.getPropertyValue("--st-background-color")
  context.fillRect(0, 0, width, height)
  context.fillStyle = style.color
  const kept = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity", "font-family", "font-size", "text-anchor", "visibility", "paint-order", "stroke-linejoin"]
  context.font = `600 17px ${style.fontFamily}`
  context.fillText(picture.title.textContent, 8, 22, width - 16)
  let top = gap
  for (const svg of svgs) {
    const copy = svg.cloneNode(true)
    const from = svg.querySelectorAll("*")
    copy.querySelectorAll("*").forEach((node, k) => {
      const computed = getComputedStyle(from[k])
      for (const property of kept) node.style.setProperty(property, computed.getPropertyValue(property))
    })
    copy.setAttribute("xmlns", SVG)
    const image = new Image()
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`
    await image.decode()
    context.font = `600 14px ${style.fontFamily}`
    context.fillText(svg.parentElement.previousSibling.textContent, 8, top + 16)
    context.drawImage(image, 0, top + 22, svg.clientWidth, svg.clientHeight)
    top += svg.clientHeight + gap
  }
  canvas.toBlob((blob) => save(name, blob), "image/png")
}
