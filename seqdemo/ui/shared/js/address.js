// What stands behind the `?` of the address: what a link asks for, and what a link made here will.

// The whole number from 1 to `most` that an entry holds; null where it holds none. Of one that is out of bounds the
// nearest is taken; `refuse` gets a sentence about whatever cannot be used.
/** @param {string} name @param {number} most @param {(sentence: string) => void} refuse */
export function numberInAddress(name, most, refuse) {
  const found = inAddress(name)
  const number = /^\d{1,15}$/.test(found) ? Number(found) : null
  if (found && (number === null || number < 1 || number > most)) refuse(notThere(name, found, `1 to ${most.toLocaleString("en")}`))
  return number === null ? null : Math.min(Math.max(number, 1), most)
}

// The one of the allowed words that an entry holds; null where it holds none.
/** @param {string} name @param {string[]} allowed @param {(sentence: string) => void} refuse */
export function wordInAddress(name, allowed, refuse) {
  const found = inAddress(name)
  if (allowed.includes(found)) return found
  if (found) refuse(notThere(name, found, `one of ${allowed.join(", ")}`))
  return null
}

/** @param {string} name */
export function inAddress(name) {
  return new URL(location.href).searchParams.get(name) ?? ""
}

// Says that an entry cannot be used: what it holds, and what it can be.
/** @param {string} name @param {string} found @param {string} what */
export function notThere(name, found, what) {
  const parts = { name, found: found.slice(0, 40), what }
  return PYTHON.not_there.replace(/\{(name|found|what)\}/g, (_, part) => parts[part])
}

// Lets the address bar follow from a part of this page: nothing is written once another page is shown, whose address it
// is by then, since a part may outlive its page by a moment.
/** @returns {(entries: Record<string, string | number>) => void} */
export function ownAddress() {
  const { pathname } = location
  return (entries) => { if (location.pathname === pathname) putInAddress(entries) }
}

// Lets the address bar follow: sets these entries, takes out those that are empty, and keeps all others.
export function putInAddress(entries) {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(entries)) {
    if (value) url.searchParams.set(name, value)
    else url.searchParams.delete(name)
  }
  if (url.href !== location.href) history.replaceState(history.state, "", url.href)
}
