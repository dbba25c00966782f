// What the stepper, the attention page and the translator share: a frame that hears keys, and can be linked to.
import { ownAddress } from "./address.js"
import { element } from "./elements.js"
import { paletteOf } from "./parts.js"

const desks = new WeakMap()

// What stands below an element: built at the first call, and coloured by the theme at each.
export function deskFor(parentElement, build) {
  if (!desks.has(parentElement)) desks.set(parentElement, build(parentElement))
  const desk = desks.get(parentElement)
  desk.palette = paletteOf(desk.frame)
  return desk
}

// What Streamlit is to call when the page is left.
export function whenLeft(desk, parentElement, stop) {
  return () => {
    // Also called, with the page still there, for a call that newer data overtook while this file loaded.
    if (parentElement.isConnected) return
    stop()
    clearTimeout(desk.settling)
    document.removeEventListener("keydown", desk.onKey)
    desks.delete(parentElement)
  }
}

// The frame. Keys reach it from the page around it too. `refused` are sentences about what of the address cannot be
// used: they are said until another text is shown, or something is chosen.
export function buildFrame(root, onKey, state) {
  const frame = element("div", "frame", root)
  const desk = { n: 0, data: null, refused: [], toAddress: ownAddress(), ...state, frame }
  frame.onkeydown = (event) => onKey(desk, event)
  desk.onKey = (event) => { if (!event.composedPath().includes(frame)) onKey(desk, event) }
  document.addEventListener("keydown", desk.onKey)
  return desk
}

// The frame and its head: the finding, what it rests on, and notices.
export function buildDesk(root, onKey, state) {
  const desk = buildFrame(root, onKey, state)
  const { frame } = desk
  desk.title = element("h2", "title", frame)
  desk.note = element("div", "note", frame)
  desk.notices = element("div", "notices", frame)
  return desk
}

// What screen readers are told; the last thing in the frame.
export function buildLive(desk) {
  desk.live = element("div", "spoken", desk.frame)
  desk.live.setAttribute("role", "status")
}

export function showHead(desk, header) {
  desk.frame.classList.remove("empty", "loading")
  desk.title.textContent = header.title
  desk.note.textContent = header.note
  showNotices(desk, header.notices)
}

export function forgetRefused(desk) {
  if (!desk.refused.length) return
  desk.refused = []
  showNotices(desk, desk.header?.notices ?? [])
}

export function showNotices({ notices: at, refused }, notices) {
  at.replaceChildren()
  for (const notice of [...refused, ...notices]) element("div", "notice", at, notice)
}

// A sentence where there is nothing to show.
export function showSaid({ frame, title, note, notices, live }, { said, loading }) {
  frame.classList.add("empty")
  frame.classList.toggle("loading", loading)
  title.textContent = live.textContent = said
  note.textContent = ""
  notices.replaceChildren()
}

// The review as an entry of the address, and whether it fits: one that is too long stays out, with every place in it.
export function linkedReview({ review, link_characters: most }) {
  const fits = review.length <= most
  return { fits, review: fits ? review : "" }
}
