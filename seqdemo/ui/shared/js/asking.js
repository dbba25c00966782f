// Questions to the server while one types or drags. The newest question of a kind counts; a busy server is asked again.
import { openingReview, whenEdited } from "./edits.js"

const SILENT_AFTER_MS = 5000
const AGAIN_AFTER_MS = 2000
const OVERTAKEN_MS = 300
const LOADING_MS = 1000
const KEEPALIVE_BYTES = 60_000 // browsers refuse more in what outlives its page

// The path of the app, from that of a page of it: pages are one segment below it.
export function basePath(pathname) {
  return pathname.replace(/\/[^/]*$/, "")
}

// Asks for a page. `token` names the browser session; `onTrouble(sentence)` hears why nothing comes, and "" once it does.
// `ask(kind, body)` gives the answer (an object, or bytes), or null where it was overtaken or cannot be answered.
export function buildAsker({ token, onTrouble }) {
  const asker = { token, onTrouble, running: new Map() }
  return {
    ask: (kind, body) => ask(asker, kind, body),
    stop: () => {
      for (const { abort } of asker.running.values()) abort()
      asker.running.clear()
    },
  }
}

// What a component needs that answers a text: `take(data)` at each call of Streamlit, `stop()` when the page is left.
// It asks for `kind` about the review that the page opens with, then at each edit (where `restOnly`, when it rests), again when other models
// are to answer, and each second while models load. `show(answer, edit)` draws; `trouble(sentence)` says why nothing
// comes, "" once it does; `more()` gives what else the question holds; `waits(edit)` hears of edits not yet answered;
// `read(answer)` unpacks bytes.
/**
 * @param {{token: string, kind: string, show: (answer: any, edit: any) => void, trouble: (sentence: string) => void,
 *   restOnly?: boolean, more?: () => object, waits?: (edit: any) => void, read?: (answer: any) => any}} options
 */
export function buildAnswerer({ token, kind, show, trouble, restOnly = false, more = () => ({}), waits = () => {}, read = (answer) => answer }) {
  const asker = buildAsker({ token, onTrouble: trouble })
  let edit = null
  let models = null
  let timer = 0
  const again = async () => {
    clearTimeout(timer)
    const asked = edit
    const answer = await asker.ask(kind, { text: asked.text, length: asked.length, models, ...more() })
    if (answer === null || asked !== edit) return
    const found = read(answer)
    show(found, asked)
    const { loading } = found.header ?? found
    if (loading?.length) timer = setTimeout(again, LOADING_MS)
  }
  const deaf = whenEdited((found) => {
    waits(found)
    if (restOnly && !found.rests) return
    edit = found
    again()
  })
  const take = (data) => {
    if (edit !== null && JSON.stringify(models) === JSON.stringify(data.models)) return
    models = data.models
    edit = edit ?? openingReview(data.text)
    again()
  }
  const stop = () => { deaf(); clearTimeout(timer); asker.stop() }
  return { take, stop, again }
}

async function ask(asker, kind, body) {
  asker.running.get(kind)?.abort()
  const controller = new AbortController()
  const timers = []
  const abort = () => { controller.abort(); for (const timer of timers) clearTimeout(timer) }
  const own = { abort }
  asker.running.set(kind, own)
  const isNewest = () => asker.running.get(kind) === own
  timers.push(setTimeout(() => asker.onTrouble("No answer has come for five seconds. The server may be busy; this page goes on waiting."), SILENT_AFTER_MS))
  try {
    while (isNewest()) {
      const found = await post(asker.token, kind, body, controller.signal)
      if (!isNewest()) return null
      if (found.again_ms === undefined) {
        asker.onTrouble(found.trouble ?? "")
        return found.answer ?? null
      }
      asker.onTrouble(found.trouble)
      await new Promise((resolve) => { timers.push(setTimeout(() => resolve(undefined), found.again_ms)) })
    }
    return null
  } finally {
    timers.forEach(clearTimeout)
    if (isNewest()) asker.running.delete(kind)
  }
}

// One question: {answer}, or {trouble} for good, or {trouble, again_ms} where it is worth asking again, or {} where it
// was given up.
async function post(token, kind, body, signal) {
  let response
  try {
    response = await fetch(`${basePath(location.pathname)}/api/v1/${kind}`, {
      method: "POST", signal, body: JSON.stringify(body),
      headers: { "content-type": "application/json", "x-seqdemo-visitor": token },
    })
    if (response.ok) {
      const isBytes = response.headers.get("content-type") === "application/octet-stream"
      return { answer: isBytes ? new Uint8Array(await response.arrayBuffer()) : await response.json() }
    }
    // Overtaken, in the server's order. Where it is still the newest one here, the two came there the wrong way round.
    if (response.status === 409) return { trouble: "", again_ms: OVERTAKEN_MS }
    const { detail } = await response.json()
    if (response.status !== 503) return { trouble: detail }
    return { trouble: detail, again_ms: 1000 * Number(response.headers.get("retry-after") ?? 2) }
  } catch {
    if (signal.aborted) return {}
    return { trouble: "The server cannot be reached. This page asks again.", again_ms: AGAIN_AFTER_MS }
  }
}

// Keeps a text for the next page, also while this one is being left.
export function keepText(token, text) {
  const body = JSON.stringify({ text })
  fetch(`${basePath(location.pathname)}/api/v1/text`, {
    method: "POST", body, keepalive: body.length * 3 < KEEPALIVE_BYTES,
    headers: { "content-type": "application/json", "x-seqdemo-visitor": token },
  }).catch(() => {}) // the text is still in the box
}
