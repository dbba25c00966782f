// The texts that were left by going back into them: they stay side by side with what was written instead. A branch is
// a model, the `text` that it went on from, its `words`, and the `fork`, the word that was gone back to, from 0.
import { inAddress, notThere } from "../shared/js/address.js"
import { showNotices } from "../shared/js/desk.js"
import { element } from "../shared/js/elements.js"
import { button } from "../shared/js/parts.js"
import { buildColumn } from "./write_column.js"
import { settingsOf } from "./write_settings.js"
import { shareOf, tail } from "./write_texts.js"

const MOST_BRANCHES = 4
const WHAT = "a model, its beginning’s length, words, seed and the word gone back to, as in lstm-20-40-1-7"

export function buildBranches(desk, parent, again) {
  const part = element("section", "branches", parent)
  const title = element("h2", "title", part)
  const columns = element("div", "columns", part)
  element("p", "how", part,
    "How to read this: what was written before someone went back; from the word in the frame on, another way was taken. Bits: the mean surprise of a word to its own model. A text that repeats itself has few different words.")
  desk.branches = { part, title, columns, again, all: [], isDrawing: false }
  showBranches(desk)
}

export function leaveBranch(desk, name, fork) {
  const { words, seed, ...how } = settingsOf(desk)
  addBranch(desk, { name, text: desk.area.value, found: desk.texts[name], fork, words, seed, how: JSON.stringify(how) })
}

// Branches of a text that has become another one lead nowhere.
export function keepBranchesOf(desk, text) {
  const { branches } = desk
  const kept = branches.all.filter((one) => text.startsWith(one.text) || one.text.startsWith(text))
  if (kept.length === branches.all.length) return
  branches.all = kept
  showBranches(desk)
}

function addBranch(desk, branch) {
  const { branches } = desk
  branches.all = [branch, ...branches.all.filter((other) => keyOf(other) !== keyOf(branch))].slice(0, MOST_BRANCHES)
  showBranches(desk)
}

function showBranches(desk) {
  const { part, title, columns, all, again } = desk.branches
  part.hidden = all.length === 0
  title.textContent = all.length === 1 ? "The way that was left" : `${all.length} ways that were left`
  columns.replaceChildren()
  for (const branch of all) {
    const { name, text, found, fork } = branch
    const writer = desk.data.writers.find((one) => one.name === name)
    const column = buildColumn(columns, "column branch", writer, `Left by the ${writer.label} at word ${fork + 1}`)
    const words = element("p", "read", column)
    element("span", "begun", words, tail(text))
    found.words.forEach(({ text: word, written, bits, percent }, k) => {
      words.append(written.startsWith(" ") ? " " : "\u2060")
      const node = element("span", k === fork ? "read-word fork" : k < fork ? "read-word begun" : "read-word", words, word)
      node.style.setProperty("--share", k < fork ? "0%" : shareOf(bits))
      node.title = percent
    })
    element("p", "rest", column, found.says)
    const acts = element("div", "acts", column)
    button(acts, "quiet", "Go back to this", () => {
      drop(desk, branch)
      again(desk, branch)
    })
    button(acts, "quiet", "Remove", () => {
      drop(desk, branch)
      desk.settle(desk)
    })
  }
}

function drop(desk, branch) {
  desk.branches.all = desk.branches.all.filter((other) => other !== branch)
  showBranches(desk)
}

// Those that the text in the box and the settings lead to again.
export function branchesForAddress(desk) {
  const { words: _words, seed: _seed, ...how } = settingsOf(desk)
  return desk.branches.all
    .filter((one) => desk.area.value.startsWith(one.text) && one.how === JSON.stringify(how))
    .map(keyOf)
    .join("_")
}

function keyOf({ name, text, words, seed, fork }) {
  return [name, text.length, words, seed, fork + 1].join("-")
}

// Asks for the branches of a link, one after the other: all are written anew.
export async function branchesOfAddress(desk, drawn) {
  const found = inAddress("branches")
  if (!found) return
  const { words: _words, seed: _seed, ...how } = settingsOf(desk)
  const text = desk.area.value
  const wanted = found.split("_").slice(0, MOST_BRANCHES).map((part) => readBranch(desk, part, text))
  if (wanted.includes(null)) {
    desk.refused.push(notThere("branches", found, WHAT))
    showNotices(desk, desk.answer?.notices ?? [])
  }
  for (const branch of wanted.filter(Boolean).toReversed()) {
    const answer = await desk.asker.ask("write", { text: branch.text, words: Number(branch.words), seed: Number(branch.seed), ...drawn })
    if (answer === null || desk.area.value !== text) return
    if (answer.models[branch.name]) addBranch(desk, { ...branch, found: answer.models[branch.name], how: JSON.stringify(how) })
  }
}

function readBranch(desk, part, text) {
  const [, name, ...numbers] = /^([a-z]+)-(\d{1,4})-(\d{1,2})-(\d{1,4})-(\d{1,2})$/.exec(part) ?? []
  const [length, words, seed, fork] = numbers.map(Number)
  const { most, writers } = desk.data
  if (!writers.some((writer) => writer.name === name) || length > text.length) return null
  if (words < 1 || words > most.words || seed > most.seed || fork < 1 || fork > words) return null
  return { name, text: text.slice(0, length), words: String(words), seed: String(seed), fork: fork - 1 }
}
