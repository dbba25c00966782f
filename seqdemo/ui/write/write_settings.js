// How words are drawn: temperature, cuts, how many, and which chance.
import { element } from "../shared/js/elements.js"

const LABELS = { temperature: "Temperature", top_k: "Top-k", top_p: "Top-p" }
const HELP = {
  temperature: "0: the likeliest word each time. 1: as likely as the model says. Above: bolder.",
  top_k: "Only so many of the likeliest words are drawn from",
  top_p: "Only the likeliest words that together hold this share are drawn from",
  words: "How many words are written",
  seed: "The same seed writes the same words",
}

export function buildSettings(desk, parent, settings, changed) {
  const row = element("div", "settings", parent)
  row.setAttribute("role", "group")
  row.setAttribute("aria-label", "How words are drawn")
  desk.settings = {}
  for (const [name, label] of Object.entries(LABELS)) {
    const holder = element("label", "setting", row, label)
    const select = element("select", "model", holder)
    select.setAttribute("aria-label", label) // or its options would be part of its name
    for (const value of desk.data.choices[name]) {
      element("option", "", select, name === "top_k" && value === "0" ? "all words" : value).value = value
    }
    desk.settings[name] = select
  }
  for (const [name, label, low] of [["words", "Words", 1], ["seed", "Seed", 0]]) {
    const holder = element("label", "setting", row, String(label))
    desk.settings[name] = element("input", "number", holder)
    Object.assign(desk.settings[name], { type: "number", min: low, max: desk.data.most[name], step: 1, inputMode: "numeric" })
  }
  for (const [name, node] of Object.entries(desk.settings)) {
    node.title = HELP[name]
    node.value = settings[name]
    desk.settings[name].kept = settings[name]
    node.onchange = () => {
      if (node.matches("input")) node.value = bounded(node)
      node.kept = node.value
      changed(desk)
    }
  }
}

// What is typed into a field of numbers, as a whole number within its bounds; the one before where it is none.
function bounded({ value, min, max, kept }) {
  const number = Math.round(Number(value))
  return value.trim() === "" || !Number.isFinite(number) ? kept : String(Math.min(Math.max(number, Number(min)), Number(max)))
}

export function settingsOf({ settings }) {
  return Object.fromEntries(Object.entries(settings).map(([name, node]) => [name, node.kept]))
}

export function setSettings({ settings }, values) {
  for (const [name, value] of Object.entries(values)) settings[name].value = settings[name].kept = value
}
