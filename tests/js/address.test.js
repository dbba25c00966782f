import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { numberInAddress, ownAddress, wordInAddress } from "../../seqdemo/ui/shared/js/address.js"

Object.assign(globalThis, { PYTHON: { not_there: "The address asks for {name} “{found}”; it can be {what}." } })
const refused = []
const refuse = (sentence) => refused.push(sentence)
const open = (query) => Object.assign(globalThis, { location: { href: `http://localhost/stepper?${new URLSearchParams(query)}` } })
beforeEach(() => { refused.length = 0 })

test("a number within bounds is taken, and none is no mistake", () => {
  open({ token: "7" })
  assert.equal(numberInAddress("token", 7, refuse), 7)
  assert.equal(numberInAddress("layer", 4, refuse), null)
  assert.deepEqual(refused, [])
})

test("of a number out of bounds the nearest is taken, and said", () => {
  open({ token: "99", layer: "0" })
  assert.equal(numberInAddress("token", 31, refuse), 31)
  assert.equal(numberInAddress("layer", 4, refuse), 1)
  assert.deepEqual(refused, [
    "The address asks for token “99”; it can be 1 to 31.",
    "The address asks for layer “0”; it can be 1 to 4.",
  ])
})

test("what is no number is said, cut where it is long, and leaves things as usual", () => {
  for (const found of ["x", "-1", "1e3", "9".repeat(5000), "٣", "$&{name}"]) {
    open({ token: found })
    assert.equal(numberInAddress("token", 31, refuse), null)
    assert.equal(refused.pop(), `The address asks for token “${found.slice(0, 40)}”; it can be 1 to 31.`)
  }
})

test("of words only those that there are are taken", () => {
  open({ view: "map", what: "nothing" })
  assert.equal(wordInAddress("view", ["map", "columns"], refuse), "map")
  assert.equal(wordInAddress("what", ["head", "mean"], refuse), null)
  assert.deepEqual(refused, ["The address asks for what “nothing”; it can be one of head, mean."])
})

test("what a part writes late goes into the address of its own page only", () => {
  const at = (href) => Object.assign(globalThis, { location: new URL(href) })
  const history = { state: null, replaceState: (_state, _title, href) => at(href) }
  Object.assign(globalThis, { history })
  at("http://localhost/demo/stepper?own=a")
  const toAddress = ownAddress()
  toAddress({ token: 7, left: "" })
  assert.equal(location.href, "http://localhost/demo/stepper?own=a&token=7")
  at("http://localhost/demo/memory?own=a")
  toAddress({ token: 8 })
  assert.equal(location.href, "http://localhost/demo/memory?own=a")
})
