import assert from "node:assert/strict"
import { test } from "node:test"

import { shorten, strangeness } from "../../seqdemo/ui/shared/js/elements.js"
import { spreadLabels } from "../../seqdemo/ui/shared/js/labels.js"
import { csv, decimal, percent, unpack } from "../../seqdemo/ui/shared/js/parts.js"

test("a number is rounded from its exact value, with a true minus sign and never a minus before zero", () => {
  assert.deepEqual([1.005, -0.004, -1.25, 0, 123456789].map((value) => decimal(value)), ["1.00", "0.00", "\u22121.25", "0.00", "1.23e8"])
})

test("per cents are whole and halves go up, as in Python", () => {
  assert.deepEqual([0, 0.004, 0.125, 0.394, 0.396, 1].map(percent), [0, 0, 13, 39, 40, 100])
})

test("a table for spreadsheets quotes what needs it and holds no formula", () => {
  assert.equal(csv([["a", "b,c", 'say "x"'], ["=1+1", -2, "-2"]]), 'a,"b,c","say ""x"""\r\n\'=1+1,-2,\'-2\r\n')
})

test("a binary message gives back its header and arrays, wherever it lies in memory", () => {
  const header = { kind: "looks", arrays: { a: { dtype: "|u1", offset: 0, size: 3 }, b: { dtype: "<f4", offset: 4, size: 2 } } }
  let text = JSON.stringify(header)
  text += " ".repeat(-text.length & 3)
  const message = new Uint8Array(1 + 4 + text.length + 12) // begins at an odd address
  const view = new DataView(message.buffer)
  view.setUint32(1, text.length, true)
  message.set(new TextEncoder().encode(text), 5)
  message.set([1, 2, 255], 5 + text.length)
  view.setFloat32(5 + text.length + 4, 0.5, true)
  view.setFloat32(5 + text.length + 8, -2, true)
  const { header: found, arrays } = unpack(message.subarray(1))
  assert.equal(found.kind, "looks")
  assert.deepEqual([...arrays.a, ...arrays.b], [1, 2, 255, 0.5, -2])
})

test("a long word is cut by letters, not by halves of them", () => {
  assert.equal(shorten("\u{1f600}".repeat(5), 3), "\u{1f600}\u{1f600}\u2026")
  assert.equal(shorten("short", 5), "short")
})

test("words are marked by who does not know them", () => {
  const strange = strangeness({ unknown: [1], partly: { 2: "unknown to the RNN" } })
  assert.deepEqual([0, 1, 2].map(strange), [null, { mark: "unknown", said: "unknown word" }, { mark: "partly", said: "unknown to the RNN" }])
})

test("labels keep their distance, their order, and stay inside", () => {
  const labels = [{ from: 99 }, { from: 10 }, { from: 11 }, { from: 98 }]
  spreadLabels(labels, { top: 0, bottom: 100 }, 20)
  assert.deepEqual(labels.map(({ from }) => from), [10, 11, 98, 99])
  assert.deepEqual(labels.map(({ to }) => to), [10, 30, 80, 100])
})
