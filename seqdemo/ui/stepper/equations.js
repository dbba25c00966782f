// Equations with numbers put in, from templates: {key:part} is a number, {+key:part} an addend with its sign,
// {*key:part} a factor, in brackets where it is negative. `part` names what it stands for in the drawing.
import { element } from "../shared/js/elements.js"
import { decimal, MINUS } from "../shared/js/parts.js"

const SQUASHED = (name, squash) =>
  `${name} = ${squash}({${name}.x:x}{+${name}.h:h_prev}{+${name}.b:${name}}) = ${squash}({${name}.sum:${name}}) = {${name}:${name}}`

export const EQUATIONS = {
  rnn: [
    { name: "h", says: "Hidden state h", text: "h = tanh({h.x:x}{+h.h:h_prev}{+h.b:b}) = tanh({h.sum:b}) = {h:h}" },
  ],
  gru: [
    { name: "r", says: "Reset gate r: how much of the old h the candidate sees", text: SQUASHED("r", "\u03c3") },
    { name: "z", says: "Update gate z: how much of the old h is kept", text: SQUASHED("z", "\u03c3") },
    {
      name: "n", says: "Candidate n: what this word would store",
      text: "n = tanh({n.x:x}{+n.bx:n} + {r:r} \u00d7 ({n.h:h_prev}{+n.bh:n})) = tanh({n.sum:n}) = {n:n}",
    },
    {
      name: "h", says: "Hidden state h",
      text: "h = (1 \u2212 z) \u00d7 n + z \u00d7 h\u209c\u208b\u2081 = {not_z:z} \u00d7 {*n:n} + {z:z} \u00d7 {*h_prev:h_prev} = {h:h}",
    },
  ],
  lstm: [
    { name: "f", says: "Forget gate f: how much of the old c is kept", text: SQUASHED("f", "\u03c3") },
    { name: "i", says: "Input gate i: how much of g is written", text: SQUASHED("i", "\u03c3") },
    { name: "g", says: "Candidate g: what this word would store", text: SQUASHED("g", "tanh") },
    {
      name: "c", says: "Cell state c: what is carried on",
      text: "c = f \u00d7 c\u209c\u208b\u2081 + i \u00d7 g = {f:f} \u00d7 {*c_prev:c_prev} + {i:i} \u00d7 {*g:g} = {c:c}",
    },
    { name: "o", says: "Output gate o: how much of c is shown", text: SQUASHED("o", "\u03c3") },
    { name: "h", says: "Hidden state h: what is shown", text: "h = o \u00d7 tanh(c) = {o:o} \u00d7 {*tanh_c:h} = {h:h}" },
  ],
}

export function buildEquations(parent, equations) {
  const list = element("div", "equations", parent)
  const slots = []
  for (const { name, says, text } of equations) {
    const row = element("div", "equation", list)
    row.dataset.equation = name
    element("div", "says", row, says)
    const line = element("div", "line", row)
    let chunk = element("span", "chunk", line)
    for (const piece of text.split(/(\{[^}]*\}| = )/)) {
      if (piece === " = " && line.children.length === 1 && chunk.childElementCount === 0 && !chunk.dataset.begun) {
        chunk.append(piece) // what is defined stays with its formula
        chunk.dataset.begun = ""
      } else if (piece === " = ") { // lines break before a further equals sign
        line.append(" ")
        chunk = element("span", "chunk", line, "= ")
      } else if (piece.startsWith("{")) {
        const [, kind, key, part] = piece.match(/^\{([+*]?)([^:}]+)(?::([^}]+))?\}$/)
        const node = element("span", "term", chunk)
        if (part) node.dataset.part = part
        slots.push({ node, kind, key })
      } else chunk.append(piece)
    }
  }
  return { list, slots }
}

export function showEquations({ slots }, values) {
  for (const { node, kind, key } of slots) {
    const text = decimal(values[key])
    const negative = text.startsWith(MINUS)
    node.textContent =
      kind === "+" ? ` ${negative ? `${MINUS} ${text.slice(1)}` : `+ ${text}`}` : kind === "*" && negative ? `(${text})` : text
  }
}
