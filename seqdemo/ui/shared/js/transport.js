// Play, pause, step, scrub: all here, without a word to the server. A desk that is played has `n` steps, a `cursor`,
// and says by `showStep(desk, step)` and `settle(desk)` what is to be seen at a step and once it rests.
import { element, shape } from "./elements.js"
import { button } from "./parts.js"

const ICONS = {
  "To start": "M5 5v14M19 5 8 12l11 7Z",
  "Step back": "M17 5 7 12l10 7Z",
  "Play": "M7 4l13 8-13 8Z",
  "Pause": "M7 4h4v16H7ZM14 4h4v16h-4Z",
  "Step forward": "M7 5l10 7-10 7Z",
  "To end": "M19 5v14M5 5l11 7-11 7Z",
}
const KEYS = { "To start": "Home", "Step back": "\u2190", "Play": "Space", "Step forward": "\u2192", "To end": "End" }
const FASTEST = 30

export function buildTransport(stepper, parent) {
  const bar = element("div", "transport", parent)
  bar.setAttribute("role", "group")
  bar.setAttribute("aria-label", "Playing")
  const acts = {
    "To start": () => moveTo(stepper, 0),
    "Step back": () => moveTo(stepper, stepper.cursor - 1),
    "Play": () => (stepper.playing ? pause(stepper) : play(stepper)),
    "Step forward": () => moveTo(stepper, stepper.cursor + 1),
    "To end": () => moveTo(stepper, stepper.n - 1),
  }
  const buttons = element("div", "buttons", bar)
  for (const [name, act] of Object.entries(acts)) {
    const made = button(buttons, "act", "", () => { if (name !== "Play") pause(stepper); act() })
    nameButton(made, name)
    if (name === "Play") stepper.playButton = made
  }
  stepper.scrub = element("input", "scrub", bar)
  Object.assign(stepper.scrub, { type: "range", min: 1, step: 1 })
  stepper.scrub.setAttribute("aria-label", "Token")
  stepper.scrub.oninput = () => { pause(stepper); moveTo(stepper, stepper.scrub.valueAsNumber - 1) }
  stepper.where = element("div", "where", bar)
  const pace = element("label", "pace", bar)
  stepper.speed = element("input", "", pace)
  Object.assign(stepper.speed, { type: "range", min: 1, max: FASTEST, step: 1, value: 6 })
  stepper.speed.setAttribute("aria-label", "Speed")
  const shown = element("span", "", pace)
  const say = () => {
    shown.textContent = `${stepper.speed.value} a second`
    stepper.speed.setAttribute("aria-valuetext", `${stepper.speed.value} steps a second`)
  }
  stepper.speed.oninput = say
  say()
}

function nameButton(node, name) {
  node.setAttribute("aria-label", name)
  node.title = `${name} (${KEYS[name] ?? KEYS.Play})`
  node.replaceChildren()
  const svg = shape("svg", node, { viewBox: "0 0 24 24", "aria-hidden": "true" })
  shape("path", svg, { d: ICONS[name] })
}

export function play(stepper) {
  if (stepper.playing || stepper.n < 2) return
  if (stepper.cursor === stepper.n - 1) stepper.showStep(stepper, 0)
  stepper.playing = true
  nameButton(stepper.playButton, "Pause")
  stepper.live.textContent = ""
  clearTimeout(stepper.settling)
  let last = null
  let owed = 0
  const frame = (now) => {
    if (!stepper.playing) return
    // After a pause of the window itself (another tab), one step at most is owed.
    owed += Math.min(((now - (last ?? now)) / 1000) * stepper.speed.valueAsNumber, Math.max(1, stepper.speed.valueAsNumber / 4))
    last = now
    const steps = Math.floor(owed)
    owed -= steps
    if (steps) stepper.showStep(stepper, Math.min(stepper.cursor + steps, stepper.n - 1))
    if (stepper.cursor === stepper.n - 1) pause(stepper)
    else stepper.frame_id = requestAnimationFrame(frame)
  }
  stepper.frame_id = requestAnimationFrame(frame)
}

export function pause(stepper) {
  if (!stepper.playing) return
  stepper.playing = false
  cancelAnimationFrame(stepper.frame_id)
  nameButton(stepper.playButton, "Play")
  stepper.settle(stepper)
}

// A visitor's move; while playing it goes on from there.
export function moveTo(stepper, step) {
  if (!stepper.n) return
  stepper.showStep(stepper, Math.min(Math.max(step, 0), stepper.n - 1))
  if (!stepper.playing) stepper.settle(stepper)
}

// Keys work wherever nothing else wants them: on the page itself and inside of the stepper.
export function onKey(stepper, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !stepper.n) return
  const target = event.composedPath()[0]
  const inside = event.composedPath().includes(stepper.frame)
  const onPage = target === document.body || target.matches?.("[data-testid=stMain], section, main")
  if (!inside && !onPage) return
  if (inside && (event.key === "r" || event.key === "c") && !target.matches("select")) event.stopPropagation() // Streamlit's own keys
  const isScrub = target === stepper.scrub
  if (!isScrub && target.matches?.("input, select, textarea, summary, [contenteditable]")) return
  if (event.key === " " && target.matches?.("button")) return // a button's own key
  const act = {
    " ": () => (stepper.playing ? pause(stepper) : play(stepper)),
    ArrowLeft: () => { pause(stepper); moveTo(stepper, stepper.cursor - 1) },
    ArrowRight: () => { pause(stepper); moveTo(stepper, stepper.cursor + 1) },
    Home: () => { pause(stepper); moveTo(stepper, 0) },
    End: () => { pause(stepper); moveTo(stepper, stepper.n - 1) },
  }[event.key]
  if (!act) return
  event.preventDefault()
  act()
}
