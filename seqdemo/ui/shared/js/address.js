// Lets the address bar follow: sets these entries, takes out those that are empty, and keeps all others.
export function putInAddress(entries) {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(entries)) {
    if (value) url.searchParams.set(name, value)
    else url.searchParams.delete(name)
  }
  if (url.href !== location.href) history.replaceState(history.state, "", url.href)
}
