// A text is begun, three cells say what comes next and write on. The next words are asked for at each edit, what is
// written once: playing it happens here. `n` is the number of words written, as the transport calls it.
import { numberInAddress } from "../shared/js/address.js"
import { buildAnswerer, buildAsker } from "../shared/js/asking.js"
import { buildFrame, buildLive, deskFor, forgetRefused, showNotices, whenLeft } from "../shared/js/desk.js"
import { tellEdit } from "../shared/js/edits.js"
import { element } from "../shared/js/elements.js"
import { buildTransport, moveTo, onKey, pause, play } from "../shared/js/transport.js"
import { buildBars, showBars } from "./write_bars.js"
import { branchesForAddress, branchesOfAddress, buildBranches, keepBranchesOf, leaveBranch } from "./write_branches.js"
import { buildBox, setText, showUndo } from "./write_box.js"
import { buildGates, paintGates, showGates, showGatesAt } from "./write_gates.js"
import { buildHidden, offerWords } from "./write_hidden.js"
import { buildSurprise, showSurprise } from "./write_surprise.js"
import { buildSettings, setSettings, settingsOf } from "./write_settings.js"
import { buildTexts, clearTexts, showTexts, showWritten } from "./write_texts.js"

const SETTLE_MS = 300
const STALE_AFTER_MS = 300
const REST_AFTER_MS = 1000 // since the last edit: how surprising it is
const WORDS_A_SECOND = 6
const hub = (globalThis.seqdemoWrite ??= {}) // outlives a visit to another page: what was typed and chosen

export default function ({ data: [data], parentElement }) {
  const desk = deskFor(parentElement, (root) => build(root, data))
  paintGates(desk)
  return whenLeft(desk, parentElement, () => {
    pause(desk)
    desk.answerer.stop()
    desk.asker.stop()
    for (const timer of [desk.sending, desk.staling, desk.resting]) clearTimeout(timer)
  })
}

function build(root, data) {
  const linked = new URL(location.href).searchParams.has("text")
  const { text, settings } = linked ? data : { text: data.text, settings: data.settings, ...hub.left }
  const desk = buildFrame(root, onKey, {
    data, hub, showStep, settle, goTo: moveTo, branching: false, cursor: null, playing: false, undone: [], composing: false, refused: [...data.refused], writers: {}, answer: null, writing: null,
  })
  const { frame } = desk
  buildBox(desk, frame, text, { edited, writeOn, remember: () => remember(desk) })
  desk.notices = element("div", "notices", frame)
  desk.notices.setAttribute("role", "status")
  desk.title = element("h2", "title", frame, "The models are loading")
  buildBars(desk, frame, take)
  buildSettings(desk, frame, settings, changed)
  desk.written = element("h2", "title", frame)
  buildTexts(desk, frame, goBack)
  buildGates(desk, frame)
  buildTransport(desk, frame)
  desk.scrub.setAttribute("aria-label", "Word")
  desk.speed.value = WORDS_A_SECOND
  desk.speed.oninput()
  buildBranches(desk, frame, goBackTo)
  buildSurprise(desk, frame)
  buildHidden(desk, frame)
  buildLive(desk)
  desk.asker = buildAsker({ token: data.token, onTrouble: (sentence) => trouble(desk, sentence) })
  desk.answerer = buildAnswerer({
    token: data.token, kind: "next", more: () => drawn(desk),
    waits: () => {
      clearTimeout(desk.staling)
      desk.staling = setTimeout(() => frame.classList.add("stale"), STALE_AFTER_MS)
    },
    show: (answer) => show(desk, answer),
    trouble: (sentence) => trouble(desk, sentence),
  })
  frame.classList.add("loading")
  edited(desk)
  return desk
}

// What the next word is drawn with, as the routes take it.
function drawn(desk) {
  const { temperature, top_k, top_p } = settingsOf(desk)
  return { temperature: Number(temperature), top_k: Number(top_k), top_p: Number(top_p) }
}

function trouble(desk, sentence) {
  showNotices(desk, sentence ? [sentence] : desk.answer?.notices ?? [])
}

function show(desk, answer) {
  clearTimeout(desk.staling)
  desk.frame.classList.remove("stale")
  desk.frame.classList.toggle("loading", answer.loading.length > 0)
  desk.answer = answer
  desk.title.textContent = answer.title
  const failed = Object.entries(answer.failed).map(([name, why]) => `${desk.writers[name].label}: ${why}`)
  showNotices(desk, [...answer.notices, ...failed])
  showBars(desk, answer)
  if (!hub.linkTaken && !answer.loading.length) {
    hub.linkTaken = true
    if (!desk.data.written) return drawBranches(desk)
    const words = Number(settingsOf(desk).words)
    writeOn(desk, numberInAddress("step", words, (sentence) => desk.refused.push(sentence)) ?? words, drawBranches)
  }
}

// Another text, by whatever way: what was written went on from the one before.
function edited(desk) {
  desk.branching = false
  keepBranchesOf(desk, desk.area.value)
  showUndo(desk)
  clearWritten(desk)
  send(desk)
  settle(desk)
}

function send(desk) {
  clearTimeout(desk.sending)
  const text = desk.area.value
  if (desk.sent === text) return
  clearTimeout(desk.resting)
  for (const { part } of [desk.surprise, desk.hidden]) part.classList.add("stale")
  desk.resting = setTimeout(() => askSurprise(desk), REST_AFTER_MS)
  if (desk.sent !== undefined && desk.refused.length) forgetRefused(desk)
  if (desk.sent !== undefined) Object.assign(desk.hidden, { own: false, isLinkTaken: true })
  desk.sent = text
  hub.left = { text, settings: settingsOf(desk) }
  tellEdit({ text: text.slice(0, desk.data.most.characters), length: text.length, rests: true, example: false })
}

async function askSurprise(desk) {
  const text = desk.area.value
  const answer = await desk.asker.ask("surprise", { text: text.slice(0, desk.data.most.characters) })
  if (answer === null || text !== desk.area.value) return
  if (answer.loading.length) desk.resting = setTimeout(() => askSurprise(desk), REST_AFTER_MS)
  else {
    showSurprise(desk, answer)
    offerWords(desk, answer)
  }
}

// Another setting: words are drawn with other chances, and what was written is written anew.
function changed(desk) {
  forgetRefused(desk)
  hub.left = { text: desk.area.value, settings: settingsOf(desk) }
  desk.answerer.again()
  if (desk.n || desk.writing) writeOn(desk, Number(settingsOf(desk).words))
  else settle(desk)
}

// Another word than the one that was gone back to branches the text, which is written on from there.
function take(desk, written) {
  const { branching } = desk
  goOn(desk, written)
  if (branching) writeOn(desk)
}

function goOn(desk, written) {
  desk.undone.push(desk.area.value)
  setText(desk, desk.area.value + written)
  edited(desk)
}

// The text up to a written word goes into the box: from there another one can be taken. What was written stays beside.
function goBack(desk, name, k) {
  leaveBranch(desk, name, k)
  goOn(desk, desk.texts[name].words.slice(0, k).map(({ written }) => written).join(""))
  desk.branching = true
  desk.area.focus()
}

function goBackTo(desk, { text, words, seed }) {
  desk.undone.push(desk.area.value)
  setSettings(desk, { words, seed })
  setText(desk, text)
  edited(desk)
  writeOn(desk, Number(words))
}

async function drawBranches(desk) {
  desk.branches.isDrawing = true // so that the address keeps them meanwhile
  await branchesOfAddress(desk, drawn(desk))
  desk.branches.isDrawing = false
}

// Plays from the first word, or shows a step at once: then comes what a link holds besides.
/** @param {any} desk @param {number | null} step @param {(desk: any) => any} then */
async function writeOn(desk, step = null, then = () => {}) {
  pause(desk)
  const { words, seed } = settingsOf(desk)
  const own = desk.writing = {}
  desk.frame.classList.add("writing")
  const text = desk.area.value
  const answer = await desk.asker.ask("write", { text: text.slice(0, desk.data.most.characters), words: Number(words), seed: Number(seed), ...drawn(desk) })
  if (desk.writing !== own) return // the one that took its place shows itself
  desk.writing = null
  desk.frame.classList.remove("writing")
  if (answer === null || text !== desk.area.value || !Object.keys(answer.models).length) return
  desk.texts = answer.models
  desk.n = Number(words)
  desk.frame.classList.remove("unwritten")
  desk.written.textContent = answer.title
  desk.scrub.max = desk.n
  showTexts(desk)
  showGates(desk, answer)
  showStep(desk, step === null ? 0 : Math.min(step, desk.n) - 1)
  if (step !== null) {
    await then(desk)
    return settle(desk)
  }
  desk.written.scrollIntoView({ block: "start", behavior: "smooth" })
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) play(desk)
  else showStep(desk, desk.n - 1)
  settle(desk)
}

function clearWritten(desk) {
  pause(desk)
  Object.assign(desk, { n: 0, cursor: null, texts: {}, writing: null })
  desk.frame.classList.remove("writing")
  desk.frame.classList.add("unwritten")
  desk.written.textContent = "Press \u201cWrite on\u201d, and each writes on by itself"
  clearTexts(desk)
}

function showStep(desk, step) {
  desk.cursor = step
  showWritten(desk)
  showGatesAt(desk)
  desk.scrub.value = step + 1
  desk.scrub.setAttribute("aria-valuetext", `${step + 1} of ${desk.n} words`)
  desk.where.textContent = `word ${step + 1} of ${desk.n}`
}

// The address opens the same text, settings and words again, unless the text is too long for one.
function remember(desk) {
  const text = desk.area.value
  const place = { text: text.length > desk.data.most.link ? "" : text, written: desk.n ? "yes" : "", step: desk.n ? desk.cursor + 1 : "" }
  const hidden = desk.hidden.isLinkTaken ? { word: desk.hidden.own && place.text ? desk.hidden.at + 1 : "" } : {}
  const branches = desk.branches.isDrawing ? {} : { branches: place.text ? branchesForAddress(desk) : "" }
  desk.toAddress({ ...place, ...hidden, ...branches, ...settingsOf(desk) })
}

// What only matters once nothing moves: the address, and those who listen.
function settle(desk) {
  clearTimeout(desk.settling)
  desk.settling = setTimeout(() => {
    if (desk.playing) return
    const { text: opened, settings: usual } = desk.data
    if (desk.area.value === opened && !desk.n && !desk.hidden.own && !desk.branches.all.length && JSON.stringify(usual) === JSON.stringify(settingsOf(desk))) return
    remember(desk)
    if (desk.n) desk.live.textContent = `${desk.written.textContent}. Word ${desk.cursor + 1} of ${desk.n}.`
  }, SETTLE_MS)
}
