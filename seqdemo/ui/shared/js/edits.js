// How the parts of a page hear what is typed into its box: each is a component of its own, mounted apart.
const EDIT = "seqdemo-edit"

// `edit` is {text, length, rests, example}: what is read of the text, its whole length, whether a second has passed
// since the last key, whether it came from a button.
export function tellEdit(edit) {
  document.dispatchEvent(new CustomEvent(EDIT, { detail: edit }))
}

// Calls `hear(edit)` for each edit from now on; what it returns ends that.
export function whenEdited(hear) {
  const listener = ({ detail }) => hear(detail)
  document.addEventListener(EDIT, listener)
  return () => document.removeEventListener(EDIT, listener)
}
