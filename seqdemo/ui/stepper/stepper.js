// Two recurrent models along one text. Everything moves here; the server hears of another model or unit only.
import { inAddress, notThere, numberInAddress } from "../shared/js/address.js"
import { buildAnswerer, buildAsker } from "../shared/js/asking.js"
import { buildDesk, buildLive, deskFor, forgetRefused, linkedReview, showHead, showNotices, showSaid, whenLeft } from "../shared/js/desk.js"
import { element } from "../shared/js/elements.js"
import { percent, unpack, verdict } from "../shared/js/parts.js"
import { buildTransport, onKey, pause } from "../shared/js/transport.js"
import { buildColumn, paintMaps, showLane } from "./stepper_panels.js"
import { buildStrip, curveAt, fillStrip, moveStrip } from "./stepper_strip.js"
import { buildTable, showTable } from "./stepper_table.js"

const hub = (globalThis.seqdemoStepper ??= {}) // outlives a visit to another page: where the cursor stood
const SETTLE_MS = 300

export default function ({ data: [data], parentElement }) {
  const stepper = deskFor(parentElement, (root) => build(root, data))
  repaint(stepper)
  stepper.models = data.models
  stepper.answerer.take(data)
  return whenLeft(stepper, parentElement, () => {
    pause(stepper)
    stepper.strip.observer.disconnect()
    stepper.answerer.stop()
    stepper.asker.stop()
  })
}

function build(root, data) {
  const stepper = buildDesk(root, onKey, {
    showStep, settle, data, words: [], cursor: null, playing: false, linked: false, wanted: data.choice, id: null, textId: null,
    shown: [], lanes: [], plots: [], refused: [...data.refused],
  })
  const { frame } = stepper
  stepper.strip = buildStrip(frame, (index) => { moveTo(stepper, index) })
  stepper.stripHow = element("p", "how", frame)
  stepper.columns = element("div", "columns", frame)
  buildTransport(stepper, frame)
  buildTable(stepper, frame)
  buildLive(stepper)
  showSaid(stepper, { said: "", loading: true })
  const trouble = (sentence) => {
    frame.classList.toggle("stale", sentence !== "")
    stepper.note.textContent = sentence || stepper.header?.note || ""
  }
  stepper.asker = buildAsker({ token: data.token, onTrouble: trouble })
  stepper.answerer = buildAnswerer({
    token: data.token, kind: "steps", restOnly: true, trouble, read: unpack, more: () => choices(stepper),
    show: (message, edit) => {
      stepper.edit = edit
      showMessage(stepper, message)
      repaint(stepper)
      if (stepper.n) askUnits(stepper)
    },
  })
  return stepper
}

// The numbers of the picked units, which another pick asks for without the whole text.
async function askUnits(stepper) {
  const { text } = stepper.edit
  const message = await stepper.asker.ask("units", { text, models: stepper.models, ...choices(stepper) })
  if (message) takeUnits(stepper, unpack(message))
}

function showMessage(stepper, message) {
  if (message.header.kind === "trace") showTrace(stepper, message)
  else showNothing(stepper, message.header)
}

function showNothing(stepper, header) {
  pause(stepper)
  Object.assign(stepper, { n: 0, words: [], lanes: [], shown: [], id: null, textId: header.text_id, cursor: null })
  showSaid(stepper, { said: header.said, loading: header.loading.length > 0 })
  stepper.columns.replaceChildren()
  stepper.table.replaceChildren()
}

function showTrace(stepper, message) {
  const { data: { usual, link_characters }, edit: { text } } = stepper
  const header = { ...message.header, review: text === usual ? "" : text, link_characters }
  const wasPlaying = stepper.playing && stepper.textId === header.text_id
  if (!wasPlaying) pause(stepper)
  const sameText = stepper.textId === header.text_id
  if (stepper.textId !== null && !sameText) {
    stepper.linked = true
    stepper.refused = []
  }
  Object.assign(stepper, { id: header.id, textId: header.text_id, words: header.words, n: header.words.length, header })
  stepper.frame.style.setProperty("--n", stepper.n)
  showHead(stepper, header)
  stepper.columns.replaceChildren()
  stepper.shown = header.columns.map((column) => buildColumn(stepper, column, message))
  stepper.lanes = stepper.shown.flatMap(({ lanes }) => lanes)
  stepper.plots = stepper.columns.querySelectorAll(".plot")
  stepper.stripHow.textContent = howStrip(header.columns)
  stepper.scrub.max = stepper.n
  const cursor = sameText && stepper.cursor !== null ? stepper.cursor : firstStep(stepper, header)
  stepper.cursor = null
  stepper.first = cursor
}

function howStrip(columns) {
  const judges = columns.filter(({ writes }) => !writes)
  const [left, right] = judges.map(({ label }) => label)
  const whose = judges.length > 1 ? `, above for the ${left}, below for the ${right}` : ` for the ${left}`
  const shade = `each word is shaded by P(positive) after it${whose}: ${PYTHON.signed_names[1]} positive, ${PYTHON.signed_names[0]} negative. `
  return `How to read this: ${judges.length ? shade : ""}${judges.length ? "Pale" : "pale"} words are not read yet. Click a word to go there.`
}

// Where a link points to, where one was before on this text, or where there is something to see.
function firstStep(stepper, header) {
  if (!hub.linkTaken) {
    hub.linkTaken = true
    const refuse = (sentence) => stepper.refused.push(sentence)
    for (const { side, lanes: [lane] } of stepper.shown) {
      const entry = `${side}_unit`
      const isNone = (unit) => unit >= lane?.n_units
      if (stepper.wanted[side]?.units.some(isNone)) refuse(notThere(entry, inAddress(entry), `1 to ${lane.n_units}`))
    }
    const token = numberInAddress("token", header.words.length, refuse)
    showNotices(stepper, header.notices)
    if (token !== null) return token - 1
  }
  if (hub.left?.textId === header.text_id) return Math.min(hub.left.cursor, header.words.length - 1)
  return header.start
}

// Colours come from the theme, so that another one paints everything again.
function repaint(stepper) {
  if (!stepper.n) return
  fillStrip(stepper.strip, { ...stepper.header, columns: stepper.shown }, stepper.palette)
  stepper.strip.seen = null
  stepper.frame.style.setProperty("--ramp", stepper.palette.ramp(-1))
  for (const lane of stepper.lanes) paintMaps(lane, stepper.palette)
  const at = stepper.cursor ?? stepper.first
  stepper.cursor = null
  showStep(stepper, at)
  if (!stepper.playing) announce(stepper)
}

function takeUnits(stepper, { header, arrays }) {
  if (!stepper.n || header.id !== stepper.id) return // of another text; the right ones are on their way
  for (const lane of stepper.lanes) {
    const found = header.lanes[lane.key]
    if (!found) continue
    const symbols = { hidden: "h", cell: "c", forget_gate: "f", input_gate: "i", output_gate: "o", reset_gate: "r", update_gate: "z",
      candidate: lane.column.cell === "gru" ? "n" : "g" }
    const renamed = (name) => {
      const [signal, part] = name.split(".")
      return part ? `${symbols[signal]}.${part}` : symbols[signal]
    }
    const series = {}
    for (const [name, array] of Object.entries(arrays)) {
      if (name.startsWith(`${lane.key}.`)) series[renamed(name.slice(lane.key.length + 1))] = array
    }
    const biases = Object.fromEntries(Object.entries(found.biases).map(([name, pair]) => [renamed(name), pair]))
    lane.values = { series, biases, start: found.before }
    lane.unit = found.unit
    if (!lane.typed) showUnit(lane) // a late answer takes nothing from who types the next number
    lane.drawing.scale = Math.max(1, ...(series.c ?? series.h).map(Math.abs))
    for (const row of lane.rows ?? []) row.style.top = `${((lane.rank[found.unit] + 0.5) / lane.n_units) * 100}%`
    lane.charts?.forEach(({ symbol, show }) => show(series[symbol]))
    showLane(stepper, lane, stepper.cursor)
  }
  for (const { side, name } of stepper.shown) if (stepper.wanted[side]?.model === name) delete stepper.wanted[side]
  showTable(stepper)
  if (stepper.linked) settle(stepper)
}

export function showStep(stepper, step) {
  const from = stepper.cursor
  if (from === step) return
  stepper.cursor = step
  moveStrip(stepper.strip, from, step)
  for (const plot of stepper.plots) plot.style.setProperty("--k", step) // here alone: all below would be styled anew
  for (const { verdict: at, curve, writes } of stepper.shown) {
    if (!curve) continue
    const { step: asked, p } = curveAt(curve, step)
    at.said.textContent = writes && p < 0.005 ? "< 1\u00a0%" : `${percent(p)}\u00a0%`
    at.word.textContent = writes ? "likely" : verdict(percent(p)) + (asked === step ? "" : ` (at word ${asked + 1})`)
    at.dot.style.left = `${((asked + 0.5) / stepper.n) * 100}%`
    at.dot.style.top = `${100 - 100 * p}%`
  }
  for (const lane of stepper.lanes) showLane(stepper, lane, step)
  stepper.scrub.value = step + 1
  stepper.scrub.setAttribute("aria-valuetext", `${step + 1} of ${stepper.n}: ${stepper.words[step]}`)
  stepper.where.textContent = `word ${step + 1} of ${stepper.n}`
}

// What only matters once the cursor rests: the address, the table, and those who listen.
function settle(stepper) {
  clearTimeout(stepper.settling)
  stepper.settling = setTimeout(() => {
    if (stepper.playing || !stepper.n) return
    hub.left = { textId: stepper.textId, cursor: stepper.cursor }
    remember(stepper)
    announce(stepper)
    showTable(stepper)
  }, SETTLE_MS)
}

function announce(stepper) {
  const said = stepper.shown.filter(({ curve }) => curve).map(({ label, curve, writes }) => `${label} ${percent(curveAt(curve, stepper.cursor).p)} per cent ${writes ? "for this word" : "positive"}`)
  stepper.live.textContent = `Word ${stepper.cursor + 1} of ${stepper.n}: ${stepper.words[stepper.cursor]}. ${said.join(", ")}`
}

// The address opens this step again, unless the text is too long for one.
function remember(stepper) {
  const { fits, review } = linkedReview(stepper.header)
  const entries = { review, token: fits ? stepper.cursor + 1 : "" }
  for (const [side, { model, units }] of Object.entries(choices(stepper))) {
    entries[side] = model
    entries[`${side}_unit`] = units.map((unit) => unit + 1).join("-")
  }
  stepper.toAddress(entries)
}

// Side → {model, units} of what is on screen.
function onScreen({ shown, lanes }) {
  const units = (side) => lanes.filter((lane) => lane.column.side === side && lane.unit !== null).map(({ unit }) => unit)
  return Object.fromEntries(shown.map(({ side, name }) => [side, { model: name, units: units(side) }]))
}

// The same of what was chosen, of which some may still be on its way.
function choices(stepper) {
  return { ...onScreen(stepper), ...stepper.wanted }
}

// The number of a lane's unit in its field; none before the first answer.
export function showUnit(lane) {
  lane.input.value = lane.unit === null ? "" : lane.unit + 1
}

export function pickUnit(stepper, lane, unit) {
  if (!Number.isInteger(unit) || unit < 0 || unit >= lane.n_units) return showUnit(lane)
  if (unit === lane.unit) return
  lane.unit = unit
  showUnit(lane)
  for (const row of lane.rows ?? []) row.style.top = `${((lane.rank[unit] + 0.5) / lane.n_units) * 100}%`
  const { side } = lane.column
  choose(stepper, side, onScreen(stepper)[side])
}

export function choose(stepper, side, chosen) {
  forgetRefused(stepper)
  const isOther = onScreen(stepper)[side].model !== chosen.model
  stepper.wanted[side] = chosen
  stepper.linked = true
  if (isOther) stepper.answerer.again()
  else askUnits(stepper)
  settle(stepper)
}
