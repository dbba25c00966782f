// What the parts of this section share, each a component of its own: the newest answer, and how strong a shade may be.
const ANSWERED = "seqdemo-attributions"
export const MOST = 0.54 // words on the strongest shade keep a contrast of 4.5

// `answer` is that of the route, or null while the page waits for its first one; stale: the text has changed since.
/** @param {{answer: any, stale: boolean}} told */
export function tellAnswer(told) {
  Object.assign(globalThis, { seqdemoAttributions: told }) // for those who come later
  document.dispatchEvent(new CustomEvent(ANSWERED, { detail: told }))
}

// Calls `hear(told)` with what was told last, and from now on; what it returns ends that.
export function whenAnswered(hear) {
  const listener = (/** @type {any} */ { detail }) => hear(detail)
  document.addEventListener(ANSWERED, listener)
  if (Reflect.get(globalThis, "seqdemoAttributions")) listener({ detail: Reflect.get(globalThis, "seqdemoAttributions") })
  return () => document.removeEventListener(ANSWERED, listener)
}
