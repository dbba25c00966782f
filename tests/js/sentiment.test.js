import assert from "node:assert/strict"
import { test } from "node:test"

import { changes } from "../../seqdemo/ui/sentiment/changes.js"

const start = { before: {}, now: {}, rests: true }
const said = (percent) => ({ lstm: { percent } })
const typed = { rests: false, example: false }
const rested = { rests: true, example: false }

test("the first answer is no change", () => {
  assert.deepEqual(changes(start, { rests: true, example: true }, said(80)).deltas, {})
})

test("a change is measured from before the typing began to where it paused", () => {
  let since = changes(start, { rests: true, example: true }, said(80))
  since = changes(since, typed, said(70))
  assert.deepEqual(since.deltas, { lstm: -10 })
  since = changes(since, typed, said(20))
  assert.deepEqual(since.deltas, { lstm: -60 })
  since = changes(since, rested, said(20))
  assert.deepEqual(since.deltas, { lstm: -60 })
  since = changes(since, typed, said(25))
  assert.deepEqual(since.deltas, { lstm: 5 })
})

test("an example is no edit of the text before it", () => {
  const since = changes({ before: {}, now: { lstm: 80 }, rests: true }, { rests: true, example: true }, said(10))
  assert.deepEqual(since.deltas, {})
  assert.deepEqual(changes(since, typed, said(30)).deltas, { lstm: 20 })
})

test("a model that did not answer has no change", () => {
  assert.deepEqual(changes({ before: {}, now: { lstm: 80 }, rests: true }, typed, {}).deltas, {})
})
