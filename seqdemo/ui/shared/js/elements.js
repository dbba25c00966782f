// How every component makes its elements: words as text nodes only.
export const SVG = "http://www.w3.org/2000/svg"

export function element(tag, className, parent, text = "") {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  parent.append(made)
  return made
}

export function shape(tag, parent, attributes) {
  const made = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  parent.append(made)
  return made
}

// The first letters of a word that has more than fit.
export function shorten(word, most = 18) {
  const letters = Array.from(word)
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}\u2026` : word
}

// How to mark a word that models do not know, and what to say of it: struck through where none of them knows it,
// dotted where some do. Null for the others.
export function strangeness({ unknown, partly }) {
  const toAll = new Set(unknown)
  return (index) => {
    if (toAll.has(index)) return { mark: "unknown", said: "unknown word" }
    return partly[index] ? { mark: "partly", said: partly[index] } : null
  }
}
