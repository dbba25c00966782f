// The address as a link to hand on: copied, or shown to be copied where the browser does not let a page do that.
import { element } from "./elements.js"

// Where it is said what came of it: a message, and a field that holds the link where one has to copy it oneself.
export function buildCopied(parent) {
  const message = element("div", "message", parent)
  message.setAttribute("role", "status")
  const link = element("input", "link", parent)
  Object.assign(link, { readOnly: true, hidden: true })
  link.setAttribute("aria-label", "Link to copy")
  return { message, link }
}

// `remember` lets the address follow first; `called` is what the text is on this page; a text of more than `most`
// characters stays out of the address.
/**
 * @param {{message: HTMLElement, link: any}} copied
 * @param {{text: string, most: number, called: string, remember: () => void}} what
 */
export async function copyLink({ message, link }, { text, most, called, remember }) {
  link.hidden = true
  if (text.length > most) {
    message.textContent =
      `This ${called} has ${text.length.toLocaleString("en")} characters; a link holds up to ${most.toLocaleString("en")}.`
    return
  }
  remember()
  const url = location.href
  try {
    await navigator.clipboard.writeText(url) // missing or refused on plain http
    message.textContent = "Link copied."
  } catch {
    message.textContent = "Copy this link:"
    Object.assign(link, { value: url, hidden: false })
    link.focus()
    link.select()
  }
}
