// What an edit changed. One edit goes on until a second has passed without a key, so that it is a word or a phrase
// rather than a letter; an example is another text, of which nothing is said.

// `since` is what this function gave last: {before, now, rests}, name → whole per cents. `verdicts` is name → {percent}.
export function changes(since, { rests, example }, verdicts) {
  const now = Object.fromEntries(Object.entries(verdicts).map(([name, { percent }]) => [name, percent]))
  const before = example ? {} : since.rests ? since.now : since.before
  const deltas = {}
  for (const name of Object.keys(now)) if (name in before) deltas[name] = now[name] - before[name]
  return { before, now, rests, deltas }
}
