// The numbers: weights of any head from its queries and keys, means over heads, rollout.
import { shorten } from "../shared/js/elements.js"

const KEPT_MAPS = 8 // a text of 400 words has 640 kB each

// One head's slice of query, key or value: n rows of d_head numbers.
export function slice({ arrays, header, n }, name, layer, head) {
  const size = n * header.d_head
  const start = (layer * header.n_heads + head) * size
  return arrays[name].subarray(start, start + size)
}

function dot(a, i, b, j, d) {
  let sum = 0
  for (let u = 0; u < d; u += 1) sum += a[i * d + u] * b[j * d + u]
  return sum
}

// All steps from one word's query to its weights, over all keys.
export function stepsOf(desk, layer, head, word) {
  const d = desk.header.d_head
  const [q, k] = [slice(desk, "query", layer, head), slice(desk, "key", layer, head)]
  const products = Float64Array.from({ length: desk.n }, (_, j) => dot(q, word, k, j, d))
  const scaled = products.map((product) => product / Math.sqrt(d))
  const most = scaled.reduce((a, b) => Math.max(a, b))
  const powers = scaled.map((score) => Math.exp(score - most)) // the same quotient, and nothing overflows
  const total = powers.reduce((a, b) => a + b)
  return { products, scaled, weights: powers.map((power) => power / total), most, total }
}

// The map on screen, n × n, row by row: of a head, of a layer's mean, or of rollout.
/** @param {any} desk @param {{what: string, layer?: number, head?: number}} place */
export function mapOf(desk, { what, layer, head }) {
  const name = what === "rollout" ? what : what === "mean" ? `${layer}` : `${layer}.${head}`
  if (!desk.maps.has(name)) {
    if (desk.maps.size >= KEPT_MAPS) desk.maps.delete(desk.maps.keys().next().value)
    desk.maps.set(name, makeMap(desk, what, layer, head))
  }
  return desk.maps.get(name)
}

function makeMap(desk, what, layer, head) {
  const { n, header } = desk
  if (what === "rollout") return Float32Array.from(desk.arrays.rollout, (share) => share / 65535)
  const map = new Float32Array(n * n)
  const heads = what === "mean" ? Array.from({ length: header.n_heads }, (_, h) => h) : [head]
  for (const h of heads) addWeights(map, desk, layer, h, 1 / heads.length)
  return map
}

// The same as `stepsOf` for all words at once, and without keeping the steps: 400 words have 160,000 weights.
function addWeights(map, desk, layer, head, part) {
  const { n } = desk
  const d = desk.header.d_head
  const [q, k] = [slice(desk, "query", layer, head), slice(desk, "key", layer, head)]
  const powers = new Float64Array(n)
  const shrink = Math.sqrt(d)
  for (let word = 0; word < n; word += 1) {
    let most = -Infinity
    for (let j = 0; j < n; j += 1) {
      powers[j] = dot(q, word, k, j, d) / shrink
      if (powers[j] > most) most = powers[j]
    }
    let total = 0
    for (let j = 0; j < n; j += 1) total += powers[j] = Math.exp(powers[j] - most)
    for (let j = 0; j < n; j += 1) map[word * n + j] += (part * powers[j]) / total
  }
}

export function rowOf(desk, word) {
  return mapOf(desk, desk).subarray(word * desk.n, (word + 1) * desk.n)
}

export function largest(values) {
  let most = 0
  for (const value of values) if (value > most) most = value
  return most
}

// Indices from the largest value down.
export function ranked(values) {
  return Array.from(values, (_, j) => j).sort((a, b) => values[b] - values[a] || a - b)
}

export function share(weight) {
  return `${(weight * 100).toFixed(weight >= 0.0995 ? 0 : 1)}\u00a0%`
}

export function quoted(desk, index) {
  return `\u201c${shorten(desk.words[index], 24)}\u201d`
}

// Which attention is on screen, in words.
export function placeName({ what, layer, head }) {
  if (what === "rollout") return "Rollout over all layers"
  return what === "mean" ? `Layer ${layer + 1}, mean of its heads` : `Layer ${layer + 1}, head ${head + 1}`
}

export function fileName(desk, kind) {
  const { what, layer, head } = desk
  const place = what === "rollout" ? "rollout" : what === "mean" ? `layer-${layer + 1}-mean` : `layer-${layer + 1}-head-${head + 1}`
  return `attention-${kind}-${place}`
}
