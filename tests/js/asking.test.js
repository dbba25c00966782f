import assert from "node:assert/strict"
import { afterEach, beforeEach, test } from "node:test"

import { basePath, buildAnswerer, buildAsker } from "../../seqdemo/ui/shared/js/asking.js"
import { tellEdit } from "../../seqdemo/ui/shared/js/edits.js"

const real = { fetch: globalThis.fetch }
let asked

function json(body, status = 200, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } })
}

// The server of a test: `answers` is text → what it gives, or a function that makes it.
function serve(answers) {
  globalThis.fetch = async (url, { body, signal, headers }) => {
    const question = JSON.parse(body)
    asked.push({ url, ...question, visitor: headers["x-seqdemo-visitor"] })
    const found = answers[question.text]
    const answer = typeof found === "function" ? await found(signal) : found
    if (signal?.aborted) throw new DOMException("given up", "AbortError")
    return answer
  }
}

beforeEach(() => {
  asked = []
  globalThis.location = { pathname: "/base/sentiment" }
  globalThis.document = new EventTarget()
})

afterEach(() => {
  globalThis.fetch = real.fetch
})

test("the path of the app is that of its page without the page", () => {
  assert.deepEqual(["/", "/sentiment", "/demo/", "/demo/sentiment", "/a/b/train"].map(basePath), ["", "", "/demo", "/demo", "/a/b"])
})

test("a question goes to the app's own path in the name of the session", async () => {
  serve({ good: json({ note: "1 word" }) })
  const { ask } = buildAsker({ token: "secret", onTrouble: () => {} })
  assert.deepEqual(await ask("verdicts", { text: "good" }), { note: "1 word" })
  assert.deepEqual(asked, [{ url: "/base/api/v1/verdicts", text: "good", visitor: "secret" }])
})

test("a binary answer comes as bytes", async () => {
  serve({ good: new Response(new Uint8Array([1, 2, 3]), { headers: { "content-type": "application/octet-stream" } }) })
  const answer = await buildAsker({ token: "", onTrouble: () => {} }).ask("steps", { text: "good" })
  assert.deepEqual([...answer], [1, 2, 3])
})

test("a late answer is dropped, also where the server gives it", async () => {
  let let_go
  serve({ old: () => new Promise((resolve) => { let_go = () => resolve(json({ of: "old" })) }), new: json({ of: "new" }) })
  const { ask } = buildAsker({ token: "", onTrouble: () => {} })
  const old = ask("verdicts", { text: "old" })
  const newest = ask("verdicts", { text: "new" })
  assert.deepEqual(await newest, { of: "new" })
  let_go()
  assert.equal(await old, null)
})

test("questions of two kinds do not overtake each other", async () => {
  serve({ a: json({ of: "a" }), b: json({ of: "b" }) })
  const { ask } = buildAsker({ token: "", onTrouble: () => {} })
  assert.deepEqual(await Promise.all([ask("verdicts", { text: "a" }), ask("curves", { text: "b" })]), [{ of: "a" }, { of: "b" }])
})

test("a busy server is asked again when it said so, and the trouble is over with the answer", async () => {
  const said = []
  let n = 0
  const busy = () => (n += 1) < 3 ? json({ detail: "Busy, next in 0 s." }, 503, { "retry-after": "0.01" }) : json({ of: "good" })
  serve({ good: busy })
  const { ask } = buildAsker({ token: "", onTrouble: (sentence) => said.push(sentence) })
  assert.deepEqual(await ask("verdicts", { text: "good" }), { of: "good" })
  assert.deepEqual(said, ["Busy, next in 0 s.", "Busy, next in 0 s.", ""])
})

test("a refused question says why and is not asked again", async () => {
  const said = []
  serve({ good: json({ detail: "There is no such model." }, 422) })
  const { ask } = buildAsker({ token: "", onTrouble: (sentence) => said.push(sentence) })
  assert.equal(await ask("verdicts", { text: "good" }), null)
  assert.deepEqual(said, ["There is no such model."])
  assert.equal(asked.length, 1)
})

test("the newest question is asked again where an older one came to the server after it", async () => {
  const said = []
  const answers = [json({ detail: "A newer question took its place." }, 409), json({ of: "good" })]
  serve({ good: () => answers.shift() })
  const { ask } = buildAsker({ token: "", onTrouble: (sentence) => said.push(sentence) })
  assert.deepEqual(await ask("verdicts", { text: "good" }), { of: "good" })
  assert.equal(asked.length, 2)
  assert.deepEqual(new Set(said), new Set([""]))
})

test("a question whose place a newer one took is not asked again", async () => {
  let overtake
  serve({
    old: () => new Promise((resolve) => { overtake = () => resolve(json({ detail: "A newer question took its place." }, 409)) }),
    new: json({ of: "new" }),
  })
  const { ask } = buildAsker({ token: "", onTrouble: () => {} })
  const old = ask("verdicts", { text: "old" })
  await ask("verdicts", { text: "new" })
  overtake()
  assert.equal(await old, null)
  assert.deepEqual(asked.map(({ text }) => text), ["old", "new"])
})

test("a page that is left asks no more", async () => {
  serve({ good: (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))) })
  const asker = buildAsker({ token: "", onTrouble: () => assert.fail() })
  const open = asker.ask("verdicts", { text: "good" })
  asker.stop()
  assert.equal(await open, null)
})

const settled = () => new Promise((resolve) => { setTimeout(resolve, 20) })

test("a component answers the text it was given, then each edit, or those that rest", async () => {
  const shown = []
  serve({ first: () => json({ n: 1 }), typed: () => json({ n: 2 }), rested: () => json({ n: 3 }) })
  const show = (answer, edit) => shown.push([answer.n, edit.text])
  const every = buildAnswerer({ token: "", kind: "verdicts", show, trouble: () => {} })
  every.take({ text: "first", models: {} })
  await settled()
  every.take({ text: "another, of a rerun", models: {} })
  tellEdit({ text: "typed", length: 5, rests: false, example: false })
  await settled()
  every.stop()
  tellEdit({ text: "rested", length: 6, rests: true, example: false })
  await settled()
  assert.deepEqual(shown, [[1, "first"], [2, "typed"]])
  const resting = buildAnswerer({ token: "", kind: "curves", restOnly: true, show, trouble: () => {} })
  resting.take({ text: "first", models: {} })
  await settled()
  tellEdit({ text: "typed", length: 5, rests: false, example: false })
  tellEdit({ text: "rested", length: 6, rests: true, example: false })
  await settled()
  resting.stop()
  assert.deepEqual(shown.slice(2), [[1, "first"], [3, "rested"]])
})

test("other models are asked about what stands in the box", async () => {
  serve({ typed: () => json({}), first: () => json({}) })
  const answerer = buildAnswerer({ token: "", kind: "verdicts", show: () => {}, trouble: () => {} })
  answerer.take({ text: "first", models: {} })
  tellEdit({ text: "typed", length: 5, rests: true, example: false })
  await settled()
  answerer.take({ text: "first", models: { gru: "run" } })
  await settled()
  answerer.stop()
  assert.deepEqual(asked.map(({ text, models }) => [text, models]), [["first", {}], ["typed", {}], ["typed", { gru: "run" }]])
})
