// Where a Transformer looked in a text: asked for once a text, then every layer and head explored without the server.
import { numberInAddress, wordInAddress } from "../shared/js/address.js"
import { buildAnswerer } from "../shared/js/asking.js"
import { buildCopied, copyLink } from "../shared/js/copy_link.js"
import { buildDesk, buildLive, deskFor, forgetRefused, linkedReview, showHead, showSaid, whenLeft } from "../shared/js/desk.js"
import { element } from "../shared/js/elements.js"
import { button, save, saveCsv, unpack } from "../shared/js/parts.js"
import { buildFormula, showFormula } from "./attention_formula.js"
import { buildLayers, drawLayers, fillLayers } from "./attention_layers.js"
import { buildSentence, fillSentence, saveSentence, scrollSentence, showSentence } from "./attention_sentence.js"
import { buildViews, drawView, follow, saveView, showView } from "./attention_views.js"
import { buildWall, fillWall, paintWall, showWall } from "./attention_wall.js"
import { fileName, mapOf, placeName, quoted, ranked, rowOf, share, stepsOf } from "./attention_weights.js"

const hub = (globalThis.seqdemoAttention ??= {}) // outlives a visit to another page: where one was
const SETTLE_MS = 300
const WHATS = ["head", "mean", "rollout"], VIEWS = ["map", "columns"]

export default function ({ data: [data], parentElement, setStateValue }) {
  const desk = deskFor(parentElement, (root) => build(root, data))
  desk.report = (text) => setStateValue("text", text)
  repaint(desk)
  desk.answerer.take(data)
  return whenLeft(desk, parentElement, () => {
    desk.answerer.stop()
    for (const part of [desk.sentence, desk.views, desk.layers]) part.observer.disconnect()
  })
}

function build(root, data) {
  const desk = buildDesk(root, onKey, {
    data, reported: data.text, textId: null, maps: new Map(), what: "head", layer: 0, head: 0, word: 0, key: null, view: "map", hover: null,
    hoverKey: null, from: [0, 0], allRows: false,
  })
  const { frame } = desk
  const grid = element("div", "desk", frame)
  const main = element("div", "main", grid)
  buildChoice(desk, main)
  desk.says = element("p", "says", main)
  desk.sentence = buildSentence(desk, main)
  desk.how = element("p", "how", main,
    "How to read this: the word in the frame looks at the others; a stronger line and a stronger colour: more of its attention. All its shares sum to 100\u00a0%. Click a word, or use the arrow keys, to let another one look.")
  desk.views = buildViews(desk, main)
  desk.wall = buildWall(desk, grid)
  desk.formula = buildFormula(desk, frame)
  desk.layers = buildLayers(desk, frame)
  buildFiles(desk, frame)
  buildLive(desk)
  showSaid(desk, { said: "", loading: true })
  const stale = (is) => frame.classList.toggle("stale", is)
  desk.answerer = buildAnswerer({
    token: data.token, kind: "looks", restOnly: true, read: unpack,
    waits: () => stale(true),
    show: (message, { text }) => {
      stale(false)
      showMessage(desk, message, text)
      repaint(desk)
      report(desk, text)
    },
    trouble: (sentence) => { desk.note.textContent = sentence || desk.header?.note || "" },
  })
  return desk
}

// Python draws the parts of the page further down: it hears of each text once, after this part has its answer.
function report(desk, text) {
  if (text === desk.reported) return
  desk.reported = text
  desk.report(text)
}

function buildChoice(desk, parent) {
  const bar = element("div", "bar", parent)
  const choose = (name, act) => {
    const label = element("label", "", bar, `${name} `)
    const select = element("select", "", label)
    select.setAttribute("aria-label", name)
    select.onchange = () => act(select.value)
    return select
  }
  desk.layerChoice = choose("Layer", (value) => pick(desk, value === "rollout" ? { what: "rollout" } : { what: desk.what === "mean" ? "mean" : "head", layer: Number(value) }))
  desk.headChoice = choose("Head", (value) => pick(desk, value === "mean" ? { what: "mean" } : { what: "head", head: Number(value) }))
}

function fillChoice(desk) {
  const { header } = desk
  const options = (select, count, last) => {
    select.replaceChildren()
    for (let k = 0; k < count; k += 1) element("option", "", select, String(k + 1)).value = String(k)
    element("option", "", select, last[1]).value = last[0]
  }
  options(desk.layerChoice, header.n_layers, ["rollout", "all (rollout)"])
  options(desk.headChoice, header.n_heads, ["mean", "all (mean)"])
}

function buildFiles(desk, parent) {
  const files = element("div", "files", parent)
  button(files, "quiet", "Save the sentence (SVG)", () => desk.n && saveSentence(desk))
  desk.saveViewButton = button(files, "quiet", "", () => desk.n && saveView(desk))
  button(files, "quiet", "Save the layers (PNG)", () => desk.n && desk.layers.canvas.toBlob((blob) => save("attention-layers.png", blob)))
  button(files, "quiet", "All weights shown as CSV", () => desk.n && saveWeights(desk))
  button(files, "quiet", "This word's numbers as CSV", () => desk.n && saveSteps(desk))
  button(files, "quiet", "Copy link", () => copy(desk))
  desk.copied = buildCopied(files)
}

function showMessage(desk, message, text) {
  if (message.header.kind === "looks") showLooks(desk, message, text)
  else showNothing(desk, message.header)
}

function showNothing(desk, { said, loading }) {
  Object.assign(desk, { n: 0, textId: null, header: null })
  showSaid(desk, { said, loading: loading.length > 0 })
}

function showLooks(desk, { header: found, arrays }, text) {
  const { usual, link_characters } = desk.data
  const header = { ...found, review: text === usual ? "" : text, link_characters }
  const sameText = desk.textId === header.text_id
  Object.assign(desk, { header, arrays, words: header.words, n: header.words.length, textId: header.text_id, hover: null, hoverKey: null })
  desk.maps.clear()
  if (!sameText) {
    desk.refused = []
    Object.assign(desk, firstPlace(desk))
  }
  showHead(desk, header)
  fillChoice(desk)
  fillSentence(desk)
  fillWall(desk)
  fillLayers(desk)
  desk.views.widest = undefined
  follow(desk)
}

// Where a link points to, where one was before on this text, or where the title's finding is to be seen.
function firstPlace(desk) {
  const { header, n, view } = desk
  const start = { what: "head", key: null, view, ...header.start }
  const left = hub.left?.textId === header.text_id ? hub.left.place : {}
  const found = { ...start, ...left, ...(hub.linkTaken ? {} : linkedPlace(desk)) }
  hub.linkTaken = true
  // Another model, or other words, may have taken the place of those that one has left.
  const within = (value, count, otherwise) => (Number.isInteger(value) && value >= 0 ? Math.min(value, count - 1) : otherwise)
  return {
    what: found.what,
    view: found.view,
    layer: within(found.layer, header.n_layers, start.layer),
    head: within(found.head, header.n_heads, start.head),
    word: within(found.word, n, start.word),
    key: within(found.key, n, null),
  }
}

// The entries of the address that lead somewhere; the desk says which do not.
function linkedPlace({ header: { n_layers, n_heads }, n, refused }) {
  const refuse = (sentence) => refused.push(sentence)
  const place = { what: wordInAddress("what", WHATS, refuse), view: wordInAddress("view", VIEWS, refuse) }
  for (const [name, most] of [["layer", n_layers], ["head", n_heads], ["word", n], ["key", n]]) {
    const number = numberInAddress(name, most, refuse)
    place[name] = number === null ? null : number - 1
  }
  return Object.fromEntries(Object.entries(place).filter(([, found]) => found !== null))
}

// Colours come from the theme, so that another one paints everything again.
function repaint(desk) {
  if (!desk.n) return
  desk.frame.style.setProperty("--ramp", desk.palette.ramp(0))
  desk.frame.style.setProperty("--signed", desk.palette.ramp(-1))
  desk.frame.style.setProperty("--line", desk.palette.css(1))
  paintWall(desk)
  showAll(desk)
}

function showAll(desk) {
  desk.layerChoice.value = desk.what === "rollout" ? "rollout" : String(desk.layer)
  desk.headChoice.value = desk.what === "mean" ? "mean" : String(desk.head)
  desk.headChoice.disabled = desk.what === "rollout"
  desk.saveViewButton.textContent = desk.view === "map" ? "Save the map (PNG)" : "Save the columns (SVG)"
  showSaying(desk)
  showSentence(desk)
  showWall(desk)
  drawView(desk)
  showFormula(desk)
  drawLayers(desk)
}

// Who looks at whom most, in words.
function showSaying(desk) {
  const word = desk.hover ?? desk.word
  const row = rowOf(desk, word)
  const [first, second] = ranked(row)
  const then = second === undefined || row[second] < 0.01 ? "" : `, then ${quoted(desk, second)} ${share(row[second])}`
  desk.says.textContent = `${placeName(desk)}: ${quoted(desk, word)} looks most at ${first === word ? "itself" : quoted(desk, first)}, `
  element("strong", "", desk.says, share(row[first]))
  desk.says.append(`${then}.`)
}

// The word that is looked at: the one chosen, or the one with the largest weight.
export function keyOf(desk, word = desk.word) {
  return desk.key !== null && word === desk.word ? desk.key : ranked(rowOf(desk, word))[0]
}

// What a visitor chose. Another word, or another head, looks at what it looks at most.
export function pick(desk, choice) {
  if (!desk.n) return
  forgetRefused(desk)
  const { word, what, layer, head, key, view } = { ...desk, key: null, ...(choice.view ? { key: desk.key } : {}), ...choice }
  Object.assign(desk, { word, what, layer, head, key, view, hover: null, hoverKey: null })
  if (!choice.view) follow(desk)
  showAll(desk)
  if (choice.word !== undefined) scrollSentence(desk)
  settle(desk)
}

// The pointer over a word, or over a word that is looked at: the same one in every view.
export function point(desk, word, key = null) {
  if (!desk.n || (desk.hover === word && desk.hoverKey === key)) return
  Object.assign(desk, { hover: word, hoverKey: key })
  cancelAnimationFrame(desk.pointing)
  desk.pointing = requestAnimationFrame(() => {
    if (!desk.n) return
    showSaying(desk)
    showSentence(desk)
    showWall(desk)
    showView(desk)
    drawLayers(desk)
  })
}

// What only matters once one rests: the address, and those who listen.
export function settle(desk) {
  clearTimeout(desk.settling)
  desk.settling = setTimeout(() => {
    if (!desk.n) return
    const { what, layer, head, word, key, view } = desk
    hub.left = { textId: desk.textId, place: { what, layer, head, word, key, view } }
    remember(desk)
    document.dispatchEvent(new CustomEvent("seqdemo-word", { detail: word })) // for the parts of the page further down
    desk.live.textContent = desk.says.textContent
  }, SETTLE_MS)
}

// The address opens this view again, unless the text is too long for one.
function remember(desk) {
  const { fits, review } = linkedReview(desk.header)
  desk.toAddress({
    review,
    what: desk.what === "head" ? "" : desk.what,
    layer: desk.layer + 1,
    head: desk.head + 1,
    word: fits ? desk.word + 1 : "",
    key: fits && desk.key !== null ? desk.key + 1 : "",
    view: desk.view,
  })
}

function copy(desk) {
  if (!desk.n) return
  const { review, link_characters: most } = desk.header
  copyLink(desk.copied, { text: review, most, called: "text", remember: () => remember(desk) })
}

function saveWeights(desk) {
  const map = mapOf(desk, desk)
  const rows = [["query number", "query", "key number", "key", "weight"]]
  for (let word = 0; word < desk.n; word += 1) {
    for (let key = 0; key < desk.n; key += 1) rows.push([word + 1, desk.words[word], key + 1, desk.words[key], map[word * desk.n + key]])
  }
  saveCsv(`${fileName(desk, "weights")}.csv`, rows)
}

function saveSteps(desk) {
  const { products, scaled, weights } = stepsOf(desk, desk.layer, desk.head, desk.word)
  const rows = [["query number", "query", "layer", "head", "key number", "key", "q·k", "divided by √d", "mask", "weight"]]
  desk.words.forEach((key, j) => rows.push([desk.word + 1, desk.words[desk.word], desk.layer + 1, desk.head + 1, j + 1, key, products[j], scaled[j], 0, weights[j]]))
  saveCsv(`attention-steps-layer-${desk.layer + 1}-head-${desk.head + 1}-word-${desk.word + 1}.csv`, rows)
}

// Keys work wherever nothing else wants them: on the page itself and inside of this part of it.
function onKey(desk, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !desk.n) return
  const target = event.composedPath()[0]
  const inside = event.composedPath().includes(desk.frame)
  const onPage = target === document.body || target.matches?.("[data-testid=stMain], section, main")
  if (!inside && !onPage) return
  if (target.matches?.("input, select, textarea, summary, [contenteditable]")) return
  if (inside && (event.key === "r" || event.key === "c")) event.stopPropagation() // Streamlit's own keys
  const isSentence = target === desk.sentence.root
  const to = { ArrowLeft: desk.word - 1, ArrowRight: desk.word + 1, ...(isSentence ? { Home: 0, End: desk.n - 1 } : {}) }[event.key]
  if (to === undefined) return
  event.preventDefault()
  pick(desk, { word: Math.min(Math.max(to, 0), desk.n - 1) })
}
