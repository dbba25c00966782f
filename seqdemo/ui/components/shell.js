// What every page needs of the window around it; shows nothing.
const DRAWER_WIDTH = "(max-width: 768px)" // up to here, Streamlit lays its sidebar over the page
const BY_HAND = ["wheel", "touchstart", "pointerdown", "keydown"]
const shells = new WeakMap()

export default function ({ data: [{ own }], parentElement }) {
  if (!shells.has(parentElement)) shells.set(parentElement, [keepTargetInView()])
  closeDrawerAfterChoice()
  putInAddress({ own }) // Streamlit takes it out of the address with each other page
  return () => {
    if (parentElement.isConnected) return
    shells.get(parentElement)?.forEach((stop) => stop())
    shells.delete(parentElement)
  }
}

// Streamlit does so where the browser calls itself a phone's, whatever the width of the window. A choice shows as
// another path than the one before; the first one is that of the page as it was loaded, since a choice may come
// sooner than this code.
let path = new URL(performance.getEntriesByType("navigation")[0]?.name ?? location.href).pathname

function closeDrawerAfterChoice() {
  if (path === location.pathname) return
  path = location.pathname
  if (!matchMedia(DRAWER_WIDTH).matches) return
  document.querySelector("[data-testid=stSidebar][data-collapsed=false] [data-testid=stSidebarCollapseButton] button")?.click()
}

// An address ending in `#hand` leads to that heading, although what stands above it arrives and grows later: it is
// scrolled to each time the page changes its height, until someone scrolls, points or types.
function keepTargetInView() {
  let following = false
  const show = () => { if (following) document.getElementById(location.hash.slice(1))?.scrollIntoView() }
  const begin = () => { following = location.hash.length > 1; show() }
  const end = () => { following = false }
  const observer = new ResizeObserver(show)
  observer.observe(document.querySelector("[data-testid=stMainBlockContainer]"))
  for (const kind of BY_HAND) document.addEventListener(kind, end, { capture: true, passive: true })
  addEventListener("hashchange", begin)
  begin()
  return () => {
    observer.disconnect()
    for (const kind of BY_HAND) document.removeEventListener(kind, end, { capture: true })
    removeEventListener("hashchange", begin)
  }
}
