// How the parts of a page hear what is typed into its box: each is a component of its own, mounted apart.
const EDIT = "seqdemo-edit"

/** @typedef {{text: string, length: number, rests: boolean, example: boolean}} Edit */

// `edit` is {text, length, rests, example}: what is read of the text, its whole length, whether a second has passed
// since the last key, whether it came from a button.
/** @param {Edit} edit */
export function tellEdit(edit) {
  document.dispatchEvent(new CustomEvent(EDIT, { detail: edit }))
}

// Calls `hear(edit)` for each edit from now on; what it returns ends that.
/** @param {(edit: Edit) => void} hear */
export function whenEdited(hear) {
  const listener = (/** @type {any} */ { detail }) => hear(detail)
  document.addEventListener(EDIT, listener)
  return () => document.removeEventListener(EDIT, listener)
}
