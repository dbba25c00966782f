// How the parts of a page hear what is typed into its box: each is a component of its own, mounted apart.
const EDIT = "seqdemo-edit"
const written = (globalThis.seqdemoReview ??= { last: null }) // outlives a visit to another page

/** @typedef {{text: string, length: number, rests: boolean, example: boolean}} Edit */

// `edit` is {text, length, rests, example}: what is read of the text, its whole length, whether a second has passed
// since the last key, whether it came from a button.
/** @param {Edit} edit */
export function tellEdit(edit) {
  document.dispatchEvent(new CustomEvent(EDIT, { detail: edit }))
}

// The same of the review, which the box of the next page begins with.
/** @param {Edit} edit */
export function tellReview(edit) {
  written.last = edit
  tellEdit(edit)
}

// What a page about a review opens with: what its address says, else what was written last in this window, which the
// server may not have heard of yet, else the text that Python gives.
/** @param {string} text @returns {Edit} */
export function openingReview(text) {
  const { last } = written
  if (last && !new URL(location.href).searchParams.has("review")) return { ...last, rests: true }
  return { text, length: text.length, rests: true, example: true }
}

// Calls `hear(edit)` for each edit from now on; what it returns ends that.
/** @param {(edit: Edit) => void} hear */
export function whenEdited(hear) {
  const listener = (/** @type {any} */ { detail }) => hear(detail)
  document.addEventListener(EDIT, listener)
  return () => document.removeEventListener(EDIT, listener)
}
