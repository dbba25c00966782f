// A date is typed, a model writes it as year-month-day. Each edit is asked for once, and its answer has every number:
// stepping through it happens here. `n` is the number of steps, as the transport calls it.
import { numberInAddress } from "../shared/js/address.js"
import { buildAnswerer } from "../shared/js/asking.js"
import { buildFrame, buildLive, deskFor, forgetRefused, showNotices, whenLeft } from "../shared/js/desk.js"
import { element } from "../shared/js/elements.js"
import { button, unpack } from "../shared/js/parts.js"
import { buildTransport, onKey, pause } from "../shared/js/transport.js"
import { buildBox, send } from "./translate_box.js"
import { buildFormula, hundredths, showFormula } from "./translate_formula.js"
import { buildMap, markMap, showMap } from "./translate_map.js"

const hub = (globalThis.seqdemoTranslate ??= {}) // outlives a visit to another page: what was typed, where the cursor stood
const SETTLE_MS = 300
const STALE_AFTER_MS = 300
const STEPS_A_SECOND = 2

export default function ({ data: [data], parentElement }) {
  const desk = deskFor(parentElement, (root) => build(root, data))
  repaint(desk)
  return whenLeft(desk, parentElement, () => {
    pause(desk)
    desk.answerer.stop()
    for (const timer of [desk.sending, desk.staling]) clearTimeout(timer)
  })
}

function build(root, data) {
  const state = { hub, showStep, settle, cursor: null, playing: false, character: null, sent: {}, composing: false, refused: [...data.refused] }
  const desk = buildFrame(root, onKey, state)
  const { frame } = desk
  buildBox(desk, frame, data)
  desk.notices = element("div", "notices", frame)
  desk.notices.setAttribute("role", "status")
  desk.title = element("h2", "title", frame)
  desk.body = element("div", "body", frame)
  desk.tiles = element("div", "tiles", desk.body)
  desk.tiles.setAttribute("role", "group")
  desk.tiles.setAttribute("aria-label", "The answer, character by character")
  desk.says = element("p", "verdict-line", desk.body)
  desk.plain = element("p", "plain", desk.body)
  const grid = element("div", "grid", desk.body)
  buildMap(desk, grid)
  desk.answers = element("section", "answers", grid)
  buildFormula(desk, desk.body)
  buildTransport(desk, desk.body)
  desk.scrub.setAttribute("aria-label", "Step of the decoder")
  desk.speed.value = STEPS_A_SECOND
  desk.speed.oninput()
  buildLive(desk)
  take(desk, { header: { kind: "nothing", title: "", notices: [], loading: ["torch"] }, arrays: {} })
  desk.answerer = buildAnswerer({
    token: data.token, kind: "translate", read: unpack,
    more: () => ({ width: Number(desk.width.value) }),
    waits: () => {
      clearTimeout(desk.staling)
      desk.staling = setTimeout(() => frame.classList.add("stale"), STALE_AFTER_MS)
    },
    show: (answer) => {
      take(desk, answer)
      repaint(desk)
    },
    trouble: (sentence) => showNotices(desk, sentence ? [sentence] : desk.header.notices),
  })
  send(desk)
  return desk
}

function take(desk, { header, arrays }) {
  clearTimeout(desk.staling)
  Object.assign(desk, { header, arrays })
  desk.frame.classList.remove("stale")
  if (header.text_id !== undefined && desk.textId !== undefined && header.text_id !== desk.textId) desk.refused = []
  showNotices(desk, header.notices)
  desk.title.textContent = header.title
  desk.frame.classList.toggle("empty", header.kind !== "translation")
  desk.frame.classList.toggle("loading", Boolean(header.loading?.length))
  if (header.kind !== "translation") {
    pause(desk)
    Object.assign(desk, { n: 0, cursor: null, textId: header.text_id })
    desk.live.textContent = header.title
    return
  }
  const sameText = desk.textId === header.text_id
  if (!sameText) pause(desk)
  desk.textId = header.text_id
  desk.n = header.written.length
  if (!sameText) desk.character = null
  desk.first = sameText && desk.cursor !== null ? Math.min(desk.cursor, desk.n - 1) : firstStep(desk, header)
  if (desk.character !== null && desk.character >= header.characters.length) desk.character = null
  desk.cursor = null
  desk.says.textContent = header.says
  desk.says.classList.toggle("doubtful", header.doubtful)
  desk.plain.textContent = header.plain
  showAnswers(desk)
}

// Where a link points to, where one was before on this text, or where there is something to see.
function firstStep(desk, header) {
  if (!hub.linkTaken) {
    hub.linkTaken = true
    const refuse = (sentence) => desk.refused.push(sentence)
    const character = numberInAddress("char", header.characters.length, refuse)
    const step = numberInAddress("step", header.written.length, refuse)
    showNotices(desk, header.notices)
    if (character !== null) desk.character = character - 1
    if (step !== null) return step - 1
  }
  if (hub.left?.textId === header.text_id) {
    desk.character = hub.left.character
    return Math.min(hub.left.cursor, header.written.length - 1)
  }
  return header.start
}

function repaint(desk) {
  if (!desk.n) return
  const ramp = [-1, -0.5, 0, 0.5, 1].map((t) => desk.palette.css(t, 0.6)).join(", ")
  desk.frame.style.setProperty("--ramp", `linear-gradient(to right, ${ramp})`)
  desk.frame.style.setProperty("--ramp-weights", `linear-gradient(to right, ${desk.palette.css(0)}, ${desk.palette.css(1)})`)
  desk.scrub.max = desk.n
  showTiles(desk)
  showMap(desk)
  showStep(desk, desk.cursor ?? desk.first, true)
  if (!desk.playing) settle(desk)
}

function showTiles(desk) {
  const { header, arrays } = desk
  desk.tiles.replaceChildren()
  desk.tileNodes = header.written.map((character, i) => {
    const tile = button(desk.tiles, "tile", "", () => { pause(desk); moveTo(desk, i) })
    const p = arrays.probability[i * header.outputs.length + header.chosen[i]]
    element("b", character ? "" : "end", tile, character || "end")
    element("span", "", tile, header.percents[i])
    tile.setAttribute("aria-label", `Step ${i + 1}: ${character || "end"}, ${hundredths(p)}`)
    return tile
  })
}

function showAnswers(desk) {
  const { header } = desk
  desk.answers.replaceChildren()
  element("h3", "", desk.answers, header.answers_title)
  const list = element("ol", "candidates", desk.answers)
  for (const { text, percent, probability, note } of header.answers) {
    const item = element("li", "candidate", list)
    element("b", "", item, text || "(nothing)")
    const bar = element("span", "bar", item)
    element("span", "filled", bar).style.width = `${100 * probability}%`
    element("span", "value", item, percent)
    if (note) element("span", "note-line", item, note)
  }
  element("p", "how", desk.answers, header.answers_how)
}

function showStep(desk, step, anew = false) {
  if (desk.cursor === step && !anew) return
  desk.cursor = step
  desk.tileNodes.forEach((tile, i) => {
    tile.classList.toggle("ahead", i > step)
    if (i === step) tile.setAttribute("aria-current", "step")
    else tile.removeAttribute("aria-current")
  })
  markMap(desk)
  showFormula(desk)
  const { written } = desk.header
  desk.scrub.value = step + 1
  desk.scrub.setAttribute("aria-valuetext", `${step + 1} of ${desk.n}: ${written[step] || "end"}`)
  desk.where.textContent = `step ${step + 1} of ${desk.n}`
}

export function pickCharacter(desk, j, step = desk.cursor) {
  forgetRefused(desk)
  pause(desk)
  desk.character = j
  showStep(desk, step, true)
  settle(desk)
}

// The character whose numbers are shown: the picked one, otherwise the one with the largest weight.
export function characterOf(desk) {
  if (desk.character !== null) return desk.character
  const n = desk.header.characters.length
  const weights = desk.arrays.attention.subarray(desk.cursor * n, (desk.cursor + 1) * n)
  return weights.reduce((best, weight, k) => (weight > weights[best] ? k : best), 0)
}

// What only matters once the cursor rests: the address, and those who listen.
function settle(desk) {
  clearTimeout(desk.settling)
  desk.settling = setTimeout(() => {
    if (desk.playing || !desk.n || desk.cursor === null) return
    hub.left = { textId: desk.textId, cursor: desk.cursor, character: desk.character }
    remember(desk)
    const { header, cursor } = desk
    desk.live.textContent = `${header.says} Step ${cursor + 1} of ${desk.n} writes ${header.written[cursor] || "the end"} and looks at character ${characterOf(desk) + 1}, ${header.characters[characterOf(desk)]}.`
  }, SETTLE_MS)
}

// The address opens this step again.
function remember(desk) {
  const { characters, width: beam } = desk.header
  const char = desk.character === null ? "" : desk.character + 1
  const entries = { text: characters.join(""), beam, step: desk.cursor + 1, char }
  desk.toAddress(entries)
}
